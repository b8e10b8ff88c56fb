/** The server's URL as a client reaches it. */
/** Without a slash at its end. Behind a trusted proxy the request's scheme and host are those the proxy was asked. */
export function baseUrlOf(
  request: { readonly protocol: string; readonly host: string },
  publicUrl: string | undefined,
  fallback: string,
): string {
  if (publicUrl !== undefined) return publicUrl;
  const url = URL.parse(`${request.protocol}://${request.host}`);
  // Only what is a plain origin comes back to the client that sent it.
  return url !== null && url.username === '' && url.pathname === '/' ? url.origin : fallback;
}

/** `http:` becomes `ws:`, `https:` becomes `wss:`. */
export function signalingUrl(baseUrl: string, meetingId: string): string {
  return `${baseUrl.replace(/^http/, 'ws')}/signaling/${meetingId}`;
}
