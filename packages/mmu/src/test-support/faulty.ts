/** A model with some of its members replaced: how a seeded fault is made. `faults` sees the sound model. */
export function faulty<T extends object>(sound: T, faults: (sound: T) => Partial<T>): T {
  const replaced = faults(sound);
  return new Proxy(sound, {
    get(target, key) {
      const source = key in replaced ? replaced : target;
      const value = Reflect.get(source, key, source) as unknown;
      return typeof value === 'function' ? value.bind(source) : value;
    },
  });
}

/** The names of the cases that a model fails. */
export function failures(cases: readonly { readonly name: string; run(): void }[]): string[] {
  return cases.flatMap(({ name, run }) => {
    try {
      run();
      return [];
    } catch {
      return [name];
    }
  });
}
