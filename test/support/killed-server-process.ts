/** A server that dies (`kill -9`) at a message of the chat: `stored` and not broadcast, or `broadcast` and not answered. */
import pino from 'pino';
import { MeetingSignals } from '../../src/server/meetings/signals.ts';
import { startServer } from '../../src/server/server.ts';
import { Connection } from '../../src/server/signaling/connection.ts';

const [options = '{}', at, nth] = process.argv.slice(2);
let left = Number(nth);

function dieAtLast(): void {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}

if (at === 'stored') {
  const { send } = MeetingSignals.prototype;
  MeetingSignals.prototype.send = function (meetingId, signal) {
    if (signal.type === 'chat') dieAtLast();
    send.call(this, meetingId, signal);
  };
} else {
  const { sendText } = Connection.prototype;
  Connection.prototype.sendText = function (text) {
    if (text.startsWith('{"type":"ok"') && text.includes('"message":{')) dieAtLast();
    return sendText.call(this, text);
  };
}

const server = await startServer(JSON.parse(options), { logger: pino({ level: 'silent' }) });
process.stdout.write(`${server.url}\n`);
