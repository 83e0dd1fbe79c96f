// Work whose memory accesses are traced: sorting, a matrix product, text, a list in a shuffled order. No input, no clock, no address printed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned state = 1;
static unsigned next(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static int compare(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return x < y ? -1 : x > y;
}

struct node {
  struct node *next;
  unsigned char filler[44];
  unsigned value;
};

int main(void) {
  enum { COUNT = 6000, SIDE = 40, NODES = 3000 };
  static unsigned words[COUNT];
  for (int i = 0; i < COUNT; i++) words[i] = next();
  qsort(words, COUNT, sizeof words[0], compare);

  static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) a[i][j] = i - j, b[i][j] = i + j;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++)
      for (int k = 0; k < SIDE; k++) c[i][j] += a[i][k] * b[k][j];

  struct node *nodes = malloc(NODES * sizeof *nodes), *head = NULL;
  for (int i = 0; i < NODES; i++) {
    struct node *n = &nodes[(i * 1237) % NODES];
    n->next = head;
    n->value = next();
    head = n;
  }
  unsigned sum = 0;
  for (int round = 0; round < 20; round++)
    for (struct node *n = head; n; n = n->next) sum += n->value++;

  // Copies that straddle lines.
  char *text = malloc(20000);
  for (int i = 0; i < 100; i++) {
    int length = snprintf(text + 61 * i, 64, "%d %u %s", i, words[i * 50], "and so on");
    memmove(text + 10000 + 13 * i, text + 61 * i, length);
    sum += strlen(text + 10000 + 13 * i);
  }
  printf("%u %u %.0f\n", sum, words[COUNT / 2], c[SIDE / 2][SIDE / 3]);
  return 0;
}
