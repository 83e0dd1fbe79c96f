/* What CoreMark is a mix of, in a program of our own: a list that is searched, sorted and turned round, matrices of 16-bit numbers, a scanner of numbers, and a CRC over all. */
typedef unsigned short u16;
typedef short s16;
struct item { struct item *next; s16 value, key; };
static struct item items[120];
static s16 a[18][18], b[18][18];
static int c[18][18];
static const char text[] = "5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,-87e+832,+0.6e-12,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^";

static __attribute__((noinline)) u16 crc(unsigned value, u16 sum) {
  for (int i = 0; i < 16; i++) {
    unsigned carry = (value ^ sum) & 1;
    value >>= 1;
    sum >>= 1;
    if (carry) sum ^= 0xa001;
  }
  return sum;
}
static __attribute__((noinline)) struct item *find(struct item *list, int key) {
  while (list && list->key != key) list = list->next;
  return list;
}
static __attribute__((noinline)) struct item *reverse(struct item *list) {
  struct item *done = 0;
  while (list) {
    struct item *next = list->next;
    list->next = done;
    done = list;
    list = next;
  }
  return done;
}
static int by_value(const struct item *x, const struct item *y) { return x->value - y->value; }
static int by_key(const struct item *x, const struct item *y) { return x->key - y->key; }
static __attribute__((noinline)) struct item *sort(struct item *list, int (*order)(const struct item *, const struct item *)) {
  for (int size = 1;; size *= 2) {
    struct item *p = list, *head = 0, *tail = 0;
    int merges = 0;
    while (p) {
      struct item *q = p;
      int left = 0, right = size;
      merges++;
      while (left < size && q) left++, q = q->next;
      while (left > 0 || (right > 0 && q)) {
        struct item *e;
        if (left == 0) e = q, q = q->next, right--;
        else if (right == 0 || !q || order(p, q) <= 0) e = p, p = p->next, left--;
        else e = q, q = q->next, right--;
        if (tail) tail->next = e;
        else head = e;
        tail = e;
      }
      p = q;
    }
    tail->next = 0;
    list = head;
    if (merges <= 1) return list;
  }
}
static __attribute__((noinline)) int matrices(int add) {
  int sum = 0;
  for (int i = 0; i < 18; i++) for (int j = 0; j < 18; j++) a[i][j] += add;
  for (int i = 0; i < 18; i++)
    for (int j = 0; j < 18; j++) {
      int dot = 0;
      for (int k = 0; k < 18; k++) dot += a[i][k] * b[k][j];
      c[i][j] = dot;
      sum += ((dot >> 2) & 15) * ((dot >> 5) & 127);
    }
  for (int i = 0; i < 18; i++) for (int j = 0; j < 18; j++) a[i][j] -= add;
  return sum;
}
enum state { Start, Integer, Fraction, Exponent, Scientific, Invalid };
static __attribute__((noinline)) unsigned scan(unsigned *counts) {
  unsigned sum = 0;
  const char *p = text;
  while (*p) {
    enum state s = Start;
    for (; *p && *p != ','; p++) {
      int digit = *p >= '0' && *p <= '9';
      switch (s) {
        case Start: s = digit || *p == '+' || *p == '-' ? Integer : *p == '.' ? Fraction : Invalid; break;
        case Integer: if (*p == '.') s = Fraction; else if (!digit) s = Invalid; break;
        case Fraction: if (*p == 'e') s = Exponent; else if (!digit) s = Invalid; break;
        case Exponent: s = *p == '+' || *p == '-' ? Scientific : Invalid; break;
        case Scientific: if (!digit) s = Invalid; break;
        default: break;
      }
    }
    counts[s]++;
    sum = sum * 7 + s;
    if (*p) p++;
  }
  return sum;
}
unsigned main(void) {
  u16 sum = 0;
  unsigned counts[6] = { 0 };
  for (int i = 0; i < 120; i++) {
    items[i].next = i < 119 ? &items[i + 1] : 0;
    items[i].value = (s16)(i * 7919 % 1009);
    items[i].key = i;
  }
  for (int i = 0; i < 18; i++) for (int j = 0; j < 18; j++) a[i][j] = i * 5 + j, b[i][j] = j * 3 - i;
  struct item *list = items;
  for (int round = 0; round < 9000; round++) {
    for (int key = 0; key < 120; key += 9) {
      struct item *found = find(list, (key + round) % 120);
      if (found) sum = crc(found->value, sum);
      list = reverse(list);
    }
    list = sort(list, by_value);
    sum = crc(list->key, sum);
    list = sort(list, by_key);
    sum = crc(matrices(round & 31), sum);
    sum = crc(scan(counts), sum);
  }
  return sum | (counts[Invalid] & 0xffff) << 16;
}
