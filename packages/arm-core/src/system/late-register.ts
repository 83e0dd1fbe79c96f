/**
 * A register that reads back what was written at once. Its effect is there at once too, or with `late` at the next context synchronization event, the last
 * moment that the architecture allows (ARM DDI 0406C, B3.15.5).
 */
export class LateRegister {
  private readonly name: string;
  private readonly late: boolean;
  private readonly changed: (value: number) => void;
  /** As software reads it. Unsigned. */
  written = 0;
  private effective = 0;

  /** `changed` is called with each value that takes effect. */
  constructor(name: string, late: boolean, changed: (value: number) => void) {
    this.name = name;
    this.late = late;
    this.changed = changed;
  }

  write(value: number): void {
    this.written = value >>> 0;
    if (!this.late) this.synchronize();
  }

  /** A context synchronization event. */
  synchronize(): void {
    if (this.effective === this.written) return;
    this.effective = this.written;
    this.changed(this.effective);
  }

  reset(): void {
    this.take(0, 0);
  }

  state(): Record<string, number> {
    return this.late ? { [this.name]: this.written, [this.pendingName]: this.effective } : { [this.name]: this.written };
  }
  restore(state: Readonly<Record<string, number>>): void {
    const written = state[this.name]!;
    this.take(written, this.late ? state[this.pendingName]! : written);
  }

  private get pendingName(): string {
    return `${this.name}_EFFECTIVE`;
  }
  private take(written: number, effective: number): void {
    this.written = written;
    this.effective = effective;
    this.changed(effective);
  }
}
