/**
 * REST-12: a logical id, that of a resource in a URL. `.` and `..` have the form of one, but are steps in a path (RFC 3986
 * §5.2.4): a link to such a record would lead its reader elsewhere.
 */
export const isLogicalId = (id: string): boolean => /^(?!\.{1,2}$)[A-Za-z0-9.-]{1,64}$/.test(id);
