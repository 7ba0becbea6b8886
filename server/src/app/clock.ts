import type { Clock } from '../registry/ports.ts';

export const systemClock: Clock = { now: () => new Date().toISOString(), monotonic: () => performance.now() };
