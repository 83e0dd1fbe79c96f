/* What Dhrystone is a mix of, in a program of our own: records behind pointers, calls with few instructions, strings of thirty characters, tables, choices. */
typedef enum { Red, Green, Blue, Grey } Colour;
struct record {
  struct record *next;
  Colour colour, other;
  int number;
  char text[31];
};
static struct record pool[2];
static struct record *head;
static int global, flags;
static char first, second;
static int row[50];
static int table[50][50];

static __attribute__((noinline)) void copy(char *to, const char *from) {
  while ((*to++ = *from++) != 0) continue;
}
static __attribute__((noinline)) int compare(const char *a, const char *b) {
  while (*a != 0 && *a == *b) a++, b++;
  return *a - *b;
}
static __attribute__((noinline)) Colour choose(char a, char b) {
  char c = a;
  if (c != b) return Red;
  first = c;
  return Green;
}
static __attribute__((noinline)) int longer(const char *a, const char *b) {
  int at = 2;
  char letter = 'A';
  while (at <= 2)
    if (choose(a[at], b[at + 1]) == Red) {
      letter = 'A';
      at++;
    } else
      at += 3;
  if (letter >= 'W' && letter < 'Z') at = 7;
  return letter == 'R' || compare(a, b) > 0 ? (global = at + 7, 1) : 0;
}
static __attribute__((noinline)) void turn(Colour in, Colour *out) {
  *out = in == Blue ? in : Grey;
  switch (in) {
    case Red: *out = Red; break;
    case Green: *out = global > 100 ? Red : Grey; break;
    case Blue: *out = Green; break;
    default: break;
  }
}
static __attribute__((noinline)) void add(int a, int b, int *sum) { *sum = b + a + 2; }
static __attribute__((noinline)) void follow(struct record **to) {
  if (head != 0) *to = head->next;
  add(10, global, &head->number);
}
static __attribute__((noinline)) void fill(struct record *r) {
  struct record *next = r->next;
  *next = *head;
  r->number = 5;
  next->number = r->number;
  next->next = r->next;
  follow(&next->next);
  if (next->colour == Red) {
    next->number = 6;
    turn(r->other, &next->other);
    next->next = head->next;
    add(next->number, 10, &next->number);
  } else
    *r = *r->next;
}
static __attribute__((noinline)) void place(int *line, int (*lines)[50], int a, int b) {
  int at = a + 5;
  line[at] = b;
  line[at + 1] = line[at];
  line[at + 30 > 49 ? 49 : at + 30] = at;
  for (int i = at; i <= at + 1; i++) lines[at][i] = at;
  lines[at][at - 1]++;
  lines[at + 20][at] = line[at];
  global = 5;
}
unsigned main(void) {
  char left[31], right[31];
  unsigned sum = 0;
  head = &pool[0];
  pool[0].next = &pool[1];
  pool[0].colour = Red;
  pool[0].other = Blue;
  pool[0].number = 40;
  copy(pool[0].text, "thirty characters of a record");
  copy(left, "a first string of thirty chars");
  for (int round = 1; round <= 3000000; round++) {
    int a = 2, b = 3, c = 0;
    Colour colour = Green;
    flags = first == 'A';
    second = 'B';
    copy(right, "a later string of thirty chars");
    flags |= !longer(left, right);
    while (a < b) {
      c = 5 * a - b;
      add(a, b, &c);
      a++;
    }
    place(row, table, a, c);
    fill(head);
    for (char letter = 'A'; letter <= second; letter++)
      if (colour == (Colour)choose(letter, 'C')) {
        turn(Red, &colour);
        global = round;
      }
    b = b * a;
    a = b / c;
    b = 7 * (b - c) - a;
    sum = sum * 3 + a + b + c + flags + global + table[8][8] + head->number;
  }
  return sum;
}
