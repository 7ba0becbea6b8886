/** So many a minute for each name, over a window that slides by whole minutes. */
export function createRateLimit(perMinute: number, monotonic: () => number): (name: string) => boolean {
  const MINUTE = 60_000;
  let minute = -1;
  const counts = new Map<string, number>();
  return (name) => {
    const now = Math.floor(monotonic() / MINUTE);
    if (now !== minute) counts.clear();
    minute = now;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count <= perMinute;
  };
}
