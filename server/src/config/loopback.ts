/** Whether a URL stays on this machine, or is none at all; what cannot be understood does not. */
export function isLoopback(url: string | undefined): boolean {
  if (url === undefined || url === '') return true;
  const host = URL.parse(url)?.hostname ?? '';
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}
