/** Of everything that the benchmarks make up. */
export const SEED = 20261124;
