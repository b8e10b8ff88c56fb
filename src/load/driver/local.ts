/** Drivers as processes of this machine, over their IPC channel. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { DriverLine } from './link.ts';
import type { Order, Report, ReportChannel } from './protocol.ts';

/** A driver that does not end by itself in this time is killed, milliseconds. */
const END_PATIENCE_MS = 15_000;

/** @param child a process that runs {@link ipcChannel}'s side, with an IPC channel */
export function localLine(child: ChildProcess, name: string): DriverLine {
  const exited = once(child, 'exit');
  exited.catch(() => {});
  return {
    name,
    host: 'localhost',
    send: (order) => {
      if (child.connected) child.send(order, () => {});
    },
    onReport: (listener) => child.on('message', (message) => listener(message as Report)),
    onClosed: (listener) => {
      child.once('exit', (code, signal) =>
        listener(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
      child.once('error', (error) => listener(error.message));
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (child.connected) child.disconnect();
      const patience = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS);
      await exited.catch(() => {});
      clearTimeout(patience);
    },
  };
}

/** The driver's side: this process's IPC channel. */
export function ipcChannel(process: NodeJS.Process): ReportChannel {
  return {
    send: (report) => {
      if (process.connected) process.send?.(report, undefined, undefined, () => {});
    },
    onOrder: (listener) => process.on('message', (message) => listener(message as Order)),
    onClosed: (listener) => process.once('disconnect', listener),
  };
}
