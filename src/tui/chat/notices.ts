/** What has changed in the meeting, as sentences. */
import type { MeetingInfo, ParticipantInfo } from '../../protocol/model.ts';
import type { LiveRecording } from '../../protocol/recording.ts';
import type { Tone } from './timeline.ts';

export interface Remark {
  readonly text: string;
  readonly tone: Tone;
}

const remark = (text: string, tone: Tone = 'info'): Remark => ({ text, tone });

/** What is said of a participant who changed; coming and going are said together with those of others. */
export function participantRemarks(
  before: ParticipantInfo | undefined,
  now: ParticipantInfo,
  { label, self }: { readonly label: string; readonly self: boolean },
): Remark[] {
  if (before === undefined) return now.state === 'waiting' && !self ? [waits(label)] : [];
  const remarks: Remark[] = [];
  const who = self ? 'You are' : `${label} is`;
  if (before.role !== now.role) {
    const role =
      now.role === 'participant'
        ? 'no longer a host'
        : `${now.role === 'host' ? 'the host' : 'a co-host'} now`;
    remarks.push(remark(`${who} ${role}.`, self ? 'good' : 'info'));
  }
  if (before.hand === null && now.hand !== null)
    remarks.push(remark(self ? 'You raised your hand.' : `${label} raised a hand.`, 'warning'));
  if (before.hand !== null && now.hand === null && now.state !== 'left')
    remarks.push(remark(self ? 'Your hand is down.' : `${label} lowered the hand.`));
  if (shares(before) !== shares(now)) {
    const verb = shares(now) ? 'a screen' : 'no more';
    remarks.push(remark(self ? `You share ${verb}.` : `${label} shares ${verb}.`, 'good'));
  }
  if (!self && before.state !== 'waiting' && now.state === 'waiting') remarks.push(waits(label));
  if (self && before.state === 'waiting' && now.state === 'joined')
    remarks.push(remark('A host let you in.', 'good'));
  if (!self && before.state === 'joined' && now.state === 'reconnecting')
    remarks.push(remark(`${label} is reconnecting.`));
  if (!self && before.state === 'reconnecting' && now.state === 'joined')
    remarks.push(remark(`${label} is back.`));
  return remarks;
}

/** Whether a participant shows a screen to the others. */
function shares({ tracks }: ParticipantInfo): boolean {
  return tracks.some(({ source, muted }) => source === 'screen' && !muted);
}

/** What is said of a setting that changed. */
export function meetingRemarks(before: MeetingInfo, now: MeetingInfo): Remark[] {
  const changed = (name: keyof MeetingInfo['settings'], on: string, off: string): Remark[] =>
    before.settings[name] === now.settings[name] ? [] : [remark(now.settings[name] ? on : off, 'warning')];
  return [
    ...changed('locked', 'The meeting is locked: nobody else comes in.', 'The meeting is open again.'),
    ...changed('waitingRoom', 'Who comes now waits to be let in.', 'Who comes now need not wait.'),
    ...changed('unmuting', 'Participants may unmute themselves.', 'Participants may not unmute themselves.'),
    ...changed(
      'screenSharing',
      'Participants may share their screens.',
      'Only hosts may share their screens.',
    ),
    ...changed(
      'severalScreens',
      'Several participants may share at the same time.',
      'One participant may share at a time.',
    ),
    ...(before.title === now.title ? [] : [remark('The meeting has another title.')]),
  ];
}

/** What is said when the recording begins, pauses or ends. */
export function recordingRemarks(before: LiveRecording | null, now: LiveRecording | null): Remark[] {
  const full = now?.diskFull && !before?.diskFull;
  const remarks = full ? [remark('There is no space left for the recording.', 'bad')] : [];
  if (before?.state === now?.state) return remarks;
  switch (now?.state) {
    case undefined:
      return [...remarks, remark('The recording has ended.', 'warning')];
    case 'recording':
      return [...remarks, remark('The meeting is being recorded.', 'warning')];
    case 'paused':
      return [...remarks, remark('The recording is paused.', 'warning')];
    case 'recovering':
      return [...remarks, remark('The recorder died and is being started again.', 'warning')];
    default:
      return remarks;
  }
}

function waits(label: string): Remark {
  return remark(`${label} waits to be let in: Ctrl-G, or /admit and /deny.`, 'warning');
}

/** Most names in one sentence. */
const MAX_NAMES = 3;

/** `Ada, Bob and 10 others`. */
export function listNames(labels: readonly string[]): string {
  if (labels.length > MAX_NAMES + 1)
    return `${labels.slice(0, MAX_NAMES).join(', ')} and ${labels.length - MAX_NAMES} others`;
  const [last, ...rest] = [...labels].reverse();
  return rest.length === 0 ? (last ?? '') : `${rest.reverse().join(', ')} and ${last}`;
}
