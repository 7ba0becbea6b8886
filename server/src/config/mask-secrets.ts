const SECRET_NAME = /password|secret|passphrase/i;
const URL_CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i;

/** A copy of a configuration to show: every secret, and every password in a URL, reads `***`. */
export function maskSecrets(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((entry) => maskSecrets(entry, name));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, maskSecrets(member, key)]));
  }
  if (value !== '' && value !== null && SECRET_NAME.test(name)) return '***';
  return typeof value === 'string' ? value.replace(URL_CREDENTIALS, '$1***@') : value;
}
