/**
 * Words before a command that make root heed the permissions of files. Another user would do, but may be unable to
 * reach a checkout in root's home folder.
 */
export const BOUNDED_ROOT = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] as const;
