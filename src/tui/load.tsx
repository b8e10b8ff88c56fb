import { Box, render, Text } from 'ink';
import { formatCount, formatMs, formatValue } from '../load/report/format.ts';
import type { Progress } from '../load/run/run.ts';

export interface LoadView {
  update(progress: Progress): void;
  /** Draws for the last time; resolves when the terminal has it. */
  close(): Promise<void>;
}

/** Errors that are named; the report has them all. */
const MAX_ERRORS = 3;

function Row({ label, children }: { readonly label: string; readonly children: React.ReactNode }) {
  return (
    <Box>
      <Box width={12}>
        <Text dimColor>{label}</Text>
      </Box>
      <Text wrap="truncate">{children}</Text>
    </Box>
  );
}

function Screen({ progress }: { readonly progress: Progress | undefined }) {
  if (progress === undefined) return <Text>preparing: clips, drivers, clocks …</Text>;
  const { phase, elapsedMs, publishers, bots, joining, down, away, point, serverLoad, errors } = progress;
  return (
    <Box flexDirection="column">
      <Text bold>
        {phase} {formatMs(elapsedMs)}
        {away ? <Text color="red"> the server does not answer</Text> : ''}
      </Text>
      <Row label="bots">
        {bots} in ({publishers} send), {joining} joining, {down} disconnected
      </Row>
      {point === undefined ? null : (
        <>
          <Row label="joins">
            {point.joins}/s, p95 {formatValue(point.joinP95Ms, 'ms')}, {point.joinsFailed} failed
          </Row>
          <Row label="media">
            {formatCount(point.packets)} packets/s, {formatCount(point.bitrate)}bit/s, loss{' '}
            {formatValue(point.loss, 'share')} ({formatValue(point.residualLoss, 'share')} unrepaired)
          </Row>
          <Row label="latency">
            p50 {formatValue(point.latencyP50Ms, 'ms')}, p99 {formatValue(point.latencyP99Ms, 'ms')},{' '}
            {point.freezes} freezes
          </Row>
          <Row label="tester">{Math.round(point.driverCpu * 100)} % of a core (busiest driver)</Row>
        </>
      )}
      {serverLoad === undefined ? null : (
        <Row label="server">
          workers {Math.round(serverLoad.workerCpu * 100)} %, own process{' '}
          {Math.round(serverLoad.processCpu * 100)} % of a core, {formatCount(serverLoad.rssBytes)}B
        </Row>
      )}
      {errors.slice(0, MAX_ERRORS).map(({ message, count }) => (
        <Text key={message} color="red" wrap="truncate">
          {count} × {message}
        </Text>
      ))}
    </Box>
  );
}

/** Draws how a run stands until closed. Ctrl-C stays the command's business. */
export function showLoad(stdout: NodeJS.WriteStream): LoadView {
  const app = render(<Screen progress={undefined} />, { stdout, exitOnCtrlC: false, patchConsole: false });
  return {
    update: (progress) => app.rerender(<Screen progress={progress} />),
    close: async () => {
      app.unmount();
      await app.waitUntilExit();
    },
  };
}
