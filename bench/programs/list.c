struct node { struct node *next; unsigned value; unsigned pad[6]; };
static struct node nodes[4096];
unsigned main(void) {
  unsigned x = 7, sum = 0;
  for (unsigned i = 0; i < 4096; i++) nodes[i].value = i;
  for (unsigned i = 4095; i > 0; i--) {
    unsigned k = (x = x * 1664525 + 1013904223) % (i + 1), t = nodes[i].value;
    nodes[i].value = nodes[k].value; nodes[k].value = t;
  }
  for (unsigned i = 0; i < 4096; i++) nodes[nodes[i].value].next = &nodes[nodes[(i + 1) & 4095].value];
  struct node *p = nodes;
  for (unsigned i = 0; i < 120000000; i++) { sum += p->value ^ i; p = p->next; }
  return sum;
}
