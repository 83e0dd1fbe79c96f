/**
 * How a region says what it wants of `RegionHost.access`: the number of a step's site (region.ts) above five bits, the bytes in bits 4:2, then whether it is a
 * privileged access, and a store.
 */
export const IS_STORE = 1;
export const IS_PRIVILEGED = 2;
export const SIZE_SHIFT = 2;
export const SITE_SHIFT = 5;
