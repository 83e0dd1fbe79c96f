/*
 * Bare-metal probe of the CP14/CP15 space for `qemu-system-arm -M virt` (RAM at 0x40000000, PL011 at 0x09000000).
 *
 * Tries every MRC/MCR and MRRC/MCRR encoding from PL1 and from PL0 and prints one line for each that is not UNDEFINED
 * everywhere (all numbers hexadecimal, `-` for UNDEFINED, `?` for not tried):
 *
 *   r CP OPC1 CRN CRM OPC2 reset after-ones after-zeros pl0-read pl0-write   (32-bit)
 *   d CP OPC1 CRM reset after-ones after-zeros pl0-read pl0-write            (64-bit, values high:low)
 *   u ...                                                                    (PL0 again with PMUSERENR = 0xf)
 *   q ...                                                                    (register arrays behind a selector)
 *
 * `after-ones` is what reads back after writing all ones: the writable bits. `w` there means: writable, not readable.
 * Registers whose writing would pull the rug from under the probe are listed in `untouchable`.
 */
typedef unsigned int u32;

/* Runs the instruction word with r0 = *low, r1 = *high; 0 when it was UNDEFINED. probe-start.S */
extern u32 attempt(u32 word, u32 *low, u32 *high, u32 user);

#define UART ((volatile u32 *)0x09000000)

static void put(char c) { UART[0] = (u32)c; }
static void text(const char *s) { while (*s) put(*s++); }
static void digits(u32 value, int count) {
  for (int shift = 4 * (count - 1); shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}
static void field(u32 value) { put(' '); digits(value, 1); }
static void word32(u32 value) { put(' '); digits(value, 8); }
static void dash(void) { text(" -"); }

static u32 mrc(u32 cp, u32 opc1, u32 crn, u32 crm, u32 opc2) {
  return 0xee100010u | opc1 << 21 | crn << 16 | cp << 8 | opc2 << 5 | crm;
}
static u32 mrrc(u32 cp, u32 opc1, u32 crm) { return 0xec500000u | 1u << 16 | cp << 8 | opc1 << 4 | crm; }
#define WRITE_OF(read) ((read) & ~(1u << 20))

static u32 key(u32 cp, u32 opc1, u32 crn, u32 crm, u32 opc2) {
  return cp << 16 | opc1 << 12 | crn << 8 | crm << 4 | opc2;
}

/* SCTLR: all ones would turn the MMU on. `selectors` tries its bits one by one. */
static int untouchable(u32 k) { return k == 0xf0100; }

static void try32(char tag, u32 cp, u32 opc1, u32 crn, u32 crm, u32 opc2, int write) {
  u32 read = mrc(cp, opc1, crn, crm, opc2), low = 0, high = 0, reset, ones = 0, zeros = 0;
  u32 user = 0, k = key(cp, opc1, crn, crm, opc2);
  u32 readable = attempt(read, &low, &high, 0);
  reset = low;
  low = 0;
  u32 userReads = attempt(read, &low, &high, 1);
  if (write && !untouchable(k)) {
    low = 0xffffffffu;
    write = attempt(WRITE_OF(read), &low, &high, 0) ? 1 : 2;
    if (write == 1 && readable) {
      attempt(read, &ones, &high, 0);
      low = 0;
      attempt(WRITE_OF(read), &low, &high, 0);
      attempt(read, &zeros, &high, 0);
    }
    if (write == 1) {
      low = reset;
      attempt(WRITE_OF(read), &low, &high, 0);
    }
    low = 0;
    user = attempt(WRITE_OF(read), &low, &high, 1);
  } else write = 0;
  if (!readable && !userReads && write != 1 && !user) return;
  put(tag); put(' '); digits(cp, 1); field(opc1); field(crn); field(crm); field(opc2);
  if (readable) word32(reset); else dash();
  if (write == 0) text(" ? ?");
  else if (write == 2) text(" - -");
  else if (!readable) text(" w w");
  else { word32(ones); word32(zeros); }
  text(userReads ? " y" : " -");
  text(write == 0 ? " ?" : user ? " y" : " -");
  put('\n');
}

static void try64(char tag, u32 cp, u32 opc1, u32 crm, int write) {
  u32 read = mrrc(cp, opc1, crm), low = 0, high = 0, resetLow, resetHigh, user = 0;
  u32 onesLow = 0, onesHigh = 0, zerosLow = 0, zerosHigh = 0;
  u32 readable = attempt(read, &low, &high, 0);
  resetLow = low;
  resetHigh = high;
  low = high = 0;
  u32 userReads = attempt(read, &low, &high, 1);
  if (write) {
    low = high = 0xffffffffu;
    write = attempt(WRITE_OF(read), &low, &high, 0) ? 1 : 2;
    if (write == 1 && readable) {
      attempt(read, &onesLow, &onesHigh, 0);
      low = high = 0;
      attempt(WRITE_OF(read), &low, &high, 0);
      attempt(read, &zerosLow, &zerosHigh, 0);
    }
    if (write == 1) {
      low = resetLow;
      high = resetHigh;
      attempt(WRITE_OF(read), &low, &high, 0);
    }
    low = high = 0;
    user = attempt(WRITE_OF(read), &low, &high, 1);
  }
  if (!readable && !userReads && write != 1 && !user) return;
  put(tag); put(' '); digits(cp, 1); field(opc1); field(crm);
  if (readable) { word32(resetHigh); put(':'); digits(resetLow, 8); } else dash();
  if (write == 0) text(" ? ?");
  else if (write == 2) text(" - -");
  else if (!readable) text(" w w");
  else {
    word32(onesHigh); put(':'); digits(onesLow, 8);
    word32(zerosHigh); put(':'); digits(zerosLow, 8);
  }
  text(userReads ? " y" : " -");
  text(write == 0 ? " ?" : user ? " y" : " -");
  put('\n');
}

static u32 get(u32 opc1, u32 crn, u32 crm, u32 opc2) {
  u32 low = 0, high = 0;
  attempt(mrc(15, opc1, crn, crm, opc2), &low, &high, 0);
  return low;
}
static u32 set(u32 opc1, u32 crn, u32 crm, u32 opc2, u32 value) {
  u32 high = 0;
  return attempt(WRITE_OF(mrc(15, opc1, crn, crm, opc2)), &value, &high, 0);
}
static void query(const char *name, u32 index, u32 value) {
  text("q "); text(name); word32(index); word32(value); put('\n');
}

/* Registers behind selectors, and writes whose effect is not "these bits stick". */
static void selectors(void) {
  for (u32 i = 0; i < 16; i++) {
    set(2, 0, 0, 0, i);
    query("csselr", i, get(2, 0, 0, 0));
    query("ccsidr", i, get(1, 0, 0, 0));
  }
  set(2, 0, 0, 0, 0);
  for (u32 i = 0; i < 32; i++) {
    set(0, 9, 12, 5, i);
    query("pmselr", i, get(0, 9, 12, 5));
    query("pmxevtyper-writable", i, set(0, 9, 13, 1, 0xffffffffu));
    query("pmxevtyper", i, get(0, 9, 13, 1));
    set(0, 9, 13, 1, 0x11);
    query("pmxevtyper-11", i, get(0, 9, 13, 1));
    set(0, 9, 13, 1, 0);
    set(0, 9, 13, 2, 0x12345678);
    query("pmxevcntr", i, get(0, 9, 13, 2));
    set(0, 9, 13, 2, 0);
  }
  set(0, 9, 12, 5, 0);
  set(0, 9, 12, 1, 0xffffffffu);
  query("pmcntenset-ones", 0, get(0, 9, 12, 1));
  set(0, 9, 12, 1, 0);
  query("pmcntenset-zero", 0, get(0, 9, 12, 1));
  set(0, 9, 12, 2, 1);
  query("pmcntenclr-1-set", 0, get(0, 9, 12, 1));
  query("pmcntenclr-1-clr", 0, get(0, 9, 12, 2));
  set(0, 9, 12, 2, 0xffffffffu);
  query("pmcntenclr-ones", 0, get(0, 9, 12, 1));
  set(0, 9, 14, 1, 0xffffffffu);
  query("pmintenset-ones", 0, get(0, 9, 14, 1));
  query("pmintenclr-read", 0, get(0, 9, 14, 2));
  set(0, 9, 14, 2, 0xffffffffu);
  query("pmintenclr-ones", 0, get(0, 9, 14, 1));
  set(0, 9, 14, 3, 0xffffffffu);
  query("pmovsset-ones", 0, get(0, 9, 14, 3));
  query("pmovsr-after-set", 0, get(0, 9, 12, 3));
  set(0, 9, 12, 3, 1);
  query("pmovsr-1", 0, get(0, 9, 12, 3));
  set(0, 9, 12, 3, 0xffffffffu);
  query("pmovsr-ones", 0, get(0, 9, 12, 3));
  set(0, 9, 12, 4, 0xffffffffu);
  query("pmswinc", 0, get(0, 9, 12, 3));
  /* The cycle counter counts only with E and its enable bit; a write is kept while it stands still. */
  set(0, 9, 13, 0, 0xabcdef01u);
  query("pmccntr-stopped", 0, get(0, 9, 13, 0));
  set(0, 9, 12, 0, 1);
  query("pmccntr-e-only", 0, get(0, 9, 13, 0));
  set(0, 9, 12, 1, 0x80000000u);
  u32 first = get(0, 9, 13, 0), second = get(0, 9, 13, 0);
  query("pmccntr-moves", 0, first != second);
  set(0, 9, 12, 0, 0);
  set(0, 9, 12, 2, 0xffffffffu);
  first = get(0, 9, 13, 0);
  query("pmccntr-stops", 0, first == get(0, 9, 13, 0));
  set(0, 9, 12, 0, 4);
  query("pmcr-c", 0, get(0, 9, 13, 0));
  query("pmcr-after-c", 0, get(0, 9, 12, 0));
  /* Event counters: an event that no model counts, software increments, overflow. */
  set(0, 9, 12, 5, 0);
  set(0, 9, 13, 1, 0);
  set(0, 9, 13, 2, 0xffffffffu);
  set(0, 9, 12, 1, 1);
  set(0, 9, 12, 0, 1);
  set(0, 9, 12, 4, 1);
  query("pmswinc-counts", 0, get(0, 9, 13, 2));
  query("pmswinc-overflow", 0, get(0, 9, 12, 3));
  set(0, 9, 12, 4, 1);
  query("pmswinc-again", 0, get(0, 9, 13, 2));
  set(0, 9, 12, 0, 3);
  query("pmcr-p", 0, get(0, 9, 13, 2));
  set(0, 9, 12, 0, 0);
  set(0, 9, 12, 2, 0xffffffffu);
  set(0, 9, 12, 3, 0xffffffffu);
  for (u32 event = 0; event < 0x40; event++) {
    set(0, 9, 12, 5, 0);
    set(0, 9, 13, 1, event);
    set(0, 9, 13, 2, 0);
    set(0, 9, 12, 1, 1);
    set(0, 9, 12, 0, 1);
    for (volatile int spin = 0; spin < 100; spin++) ;
    set(0, 9, 12, 0, 0);
    query("event-counts", event, get(0, 9, 13, 2) != 0);
  }
  set(0, 9, 13, 1, 0);
  set(0, 9, 13, 2, 0);
  set(0, 9, 12, 2, 0xffffffffu);
  /* CP14: OS lock. */
  u32 value, high = 0;
  value = 0xc5acce55u; attempt(WRITE_OF(mrc(14, 0, 1, 0, 4)), &value, &high, 0);
  value = 0; attempt(mrc(14, 0, 1, 1, 4), &value, &high, 0);
  query("oslsr-locked", 0, value);
  value = 0; attempt(WRITE_OF(mrc(14, 0, 1, 0, 4)), &value, &high, 0);
  value = 0; attempt(mrc(14, 0, 1, 1, 4), &value, &high, 0);
  query("oslsr-unlocked", 0, value);
  value = 0xc5acce55u; attempt(WRITE_OF(mrc(14, 0, 1, 0, 4)), &value, &high, 0);
  /* TEECR.XED bars PL0 from TEEHBR. */
  value = 1; attempt(WRITE_OF(mrc(14, 6, 0, 0, 0)), &value, &high, 0);
  value = 0; query("teehbr-xed", 0, attempt(mrc(14, 6, 1, 0, 0), &value, &high, 1));
  value = 0; attempt(WRITE_OF(mrc(14, 6, 0, 0, 0)), &value, &high, 0);
  /* Breakpoint and watchpoint control: which bits stick when they come alone. */
  for (u32 bit = 0; bit < 32; bit++) {
    value = 1u << bit; attempt(WRITE_OF(mrc(14, 0, 0, 0, 5)), &value, &high, 0);
    value = 0; attempt(mrc(14, 0, 0, 0, 5), &value, &high, 0);
    query("dbgbcr", bit, value);
    value = 1u << bit; attempt(WRITE_OF(mrc(14, 0, 0, 0, 7)), &value, &high, 0);
    value = 0; attempt(mrc(14, 0, 0, 0, 7), &value, &high, 0);
    query("dbgwcr", bit, value);
    value = 1u << bit; attempt(WRITE_OF(mrc(14, 0, 0, 2, 2)), &value, &high, 0);
    value = 0; attempt(mrc(14, 0, 0, 1, 0), &value, &high, 0);
    query("dbgdscrint", bit, value);
  }
  value = 0; attempt(WRITE_OF(mrc(14, 0, 0, 0, 5)), &value, &high, 0);
  value = 0; attempt(WRITE_OF(mrc(14, 0, 0, 0, 7)), &value, &high, 0);
  value = 0; attempt(WRITE_OF(mrc(14, 0, 0, 2, 2)), &value, &high, 0);
  /* VMRS: ID registers and the writable bits of FPEXC and FPSCR; before and after CPACR opens cp10 and cp11. */
  for (u32 reg = 0; reg < 16; reg++) {
    u32 fp = 0xeef00a10u | reg << 16;
    value = 0; query("vmrs-closed", reg, attempt(fp, &value, &high, 0));
  }
  set(0, 1, 0, 2, 0x00f00000);
  for (u32 reg = 0; reg < 16; reg++) {
    u32 fp = 0xeef00a10u | reg << 16;
    value = 0; u32 possible = attempt(fp, &value, &high, 0);
    query("vmrs-open", reg, possible);
    if (possible) query("vmrs", reg, value);
    value = 0; query("vmrs-open-user", reg, attempt(fp, &value, &high, 1));
  }
  value = 0xffffffffu; attempt(0xeee80a10u, &value, &high, 0);
  value = 0; attempt(0xeef80a10u, &value, &high, 0);
  query("fpexc-ones", 0, value);
  value = 0x40000000u; attempt(0xeee80a10u, &value, &high, 0);
  for (u32 reg = 0; reg < 16; reg++) {
    u32 fp = 0xeef00a10u | reg << 16;
    value = 0; query("vmrs-enabled", reg, attempt(fp, &value, &high, 0));
    value = 0; query("vmrs-enabled-user", reg, attempt(fp, &value, &high, 1));
  }
  value = 0xffffffffu; attempt(0xeee10a10u, &value, &high, 0);
  value = 0; attempt(0xeef10a10u, &value, &high, 0);
  query("fpscr-ones", 0, value);
  value = 0; attempt(0xeee10a10u, &value, &high, 0);
  value = 0; attempt(0xeee80a10u, &value, &high, 0);
  set(0, 1, 0, 2, 0);
  /* SCTLR bit by bit, without M. */
  for (u32 bit = 1; bit < 32; bit++) {
    u32 reset = get(0, 1, 0, 0);
    set(0, 1, 0, 0, reset ^ 1u << bit);
    query("sctlr-toggles", bit, (get(0, 1, 0, 0) ^ reset) >> bit & 1);
    set(0, 1, 0, 0, reset);
  }
  /* SCTLR.CP15BEN off: the old barriers. */
  u32 sctlr = get(0, 1, 0, 0);
  set(0, 1, 0, 0, sctlr & ~(1u << 5));
  query("sctlr-cp15ben", 0, get(0, 1, 0, 0));
  query("cp15dsb-without-cp15ben", 0, set(0, 7, 10, 4, 0));
  set(0, 1, 0, 0, sctlr);
}

void probe(void) {
  for (int write = 0; write < 2; write++) {
    /* The first pass reads only, so that the reset values are those of reset. */
    for (u32 cp = 14; cp <= 15; cp++) {
      for (u32 opc1 = 0; opc1 < 8; opc1++)
        for (u32 crn = 0; crn < 16; crn++)
          for (u32 crm = 0; crm < 16; crm++)
            for (u32 opc2 = 0; opc2 < 8; opc2++) try32(write ? 'R' : 'r', cp, opc1, crn, crm, opc2, write);
      for (u32 opc1 = 0; opc1 < 16; opc1++)
        for (u32 crm = 0; crm < 16; crm++) try64(write ? 'D' : 'd', cp, opc1, crm, write);
    }
  }
  set(0, 9, 14, 0, 0xf);
  for (u32 crm = 12; crm <= 14; crm++)
    for (u32 opc2 = 0; opc2 < 8; opc2++) try32('u', 15, 0, 9, crm, opc2, 1);
  for (u32 crm = 8; crm < 16; crm++)
    for (u32 opc2 = 0; opc2 < 8; opc2++) try32('u', 15, 0, 14, crm, opc2, 1);
  for (u32 bit = 0; bit < 4; bit++) {
    for (u32 opc2 = 0; opc2 < 6; opc2++) {
      u32 value = 0, high = 0;
      set(0, 9, 14, 0, 1u << bit);
      u32 reads = attempt(mrc(15, 0, 9, 12, opc2), &value, &high, 1);
      u32 writes = attempt(WRITE_OF(mrc(15, 0, 9, 12, opc2)), &value, &high, 1);
      query("pmuserenr-c12", bit << 4 | opc2, reads | writes << 1);
      reads = attempt(mrc(15, 0, 9, 13, opc2), &value, &high, 1);
      writes = attempt(WRITE_OF(mrc(15, 0, 9, 13, opc2)), &value, &high, 1);
      query("pmuserenr-c13", bit << 4 | opc2, reads | writes << 1);
    }
  }
  set(0, 9, 14, 0, 0);
  selectors();
  text("end\n");
}
