/** Between what is stored of the chat and what crosses the wire. */
import { type ChatMessage, type FileInfo, MAX_CONTENT_BYTES } from '../../protocol/chat.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { FullMessage, StoredFile } from '../store/index.ts';

export function chatMessage(message: FullMessage): ChatMessage {
  const { meetingId: _, fileId: __, file, ...rest } = message;
  return { ...rest, file: file === null ? null : fileInfo(file) };
}

export function fileInfo({ id, name, size, contentType, createdAt, expiresAt }: StoredFile): FileInfo {
  return { id, name, size, contentType, createdAt, expiresAt };
}

/** Whether it is for this participant; `null` stands for one who sees what is for everyone. */
export function isFor(participantId: string | null, { senderId, recipientId }: ChatMessage): boolean {
  return recipientId === null || recipientId === participantId || senderId === participantId;
}

/** @throws MeetError `too-large`, `bad-request` */
export function checkContent(content: string, hasFile: boolean): void {
  if (Buffer.byteLength(content) > MAX_CONTENT_BYTES) {
    throw new MeetError('too-large', `A message can have ${MAX_CONTENT_BYTES} bytes of text.`, {
      hint: 'Send it in parts, or as a file.',
    });
  }
  if (content === '' && !hasFile) throw new MeetError('bad-request', 'The message is empty.');
  if (content.includes('\0')) throw new MeetError('bad-request', 'Text cannot contain the NUL character.');
  // A lone surrogate is no character and has no UTF-8.
  if (!content.isWellFormed()) throw new MeetError('bad-request', 'The text is not well-formed Unicode.');
}
