/**
 * What waits for a barrier. A core calls it when it is composed with one: effects of CP15 writes and of maintenance then come as late as the
 * architecture lets them.
 */
export interface LateEffects {
  /** A DSB is executed; one that waits for stores alone completes cleans and no other maintenance (ARM DDI 0406C, B3.10.1). */
  dataBarrier(storesOnly: boolean): void;
  /** A context synchronization event: ISB, exception entry, exception return. */
  contextSynchronized(): void;
}
