unsigned main(void) { return 0; }
