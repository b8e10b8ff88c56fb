/** V8's inspector, for what can be asked of a Node process that knows nothing of being measured. */

/** What a process prints on stderr when it is started with `--inspect`. */
const LISTENING = /Debugger listening on (ws:\/\/\S+)/;

/** The inspector's URL in what a process printed. */
export function inspectorUrl(stderr: string): string {
  const url = LISTENING.exec(stderr)?.[1];
  if (url === undefined) throw new Error('The process has no inspector');
  return url;
}

/** Has the process collect all garbage and give back what it can, as under memory pressure. */
export async function collectGarbage(url: string): Promise<void> {
  const socket = new WebSocket(url);
  const collected = Promise.withResolvers<void>();
  socket.addEventListener('open', () => {
    socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
  });
  socket.addEventListener('message', ({ data }) => {
    if ((JSON.parse(String(data)) as { id?: number }).id === 1) collected.resolve();
  });
  socket.addEventListener('error', () => collected.reject(new Error('The inspector does not answer')));
  await collected.promise;
  socket.close();
}
