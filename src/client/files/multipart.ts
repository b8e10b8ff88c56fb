/** One file as the body of a `multipart/form-data` request (RFC 7578), read as it is sent. */
import { randomBytes } from 'node:crypto';

export interface FileBody {
  readonly name: string;
  /** Media type; the server looks at the content itself. */
  readonly contentType: string;
  /** Bytes that `chunks` gives. */
  readonly size: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface MultipartBody {
  readonly contentType: string;
  readonly length: number;
  readonly body: AsyncGenerator<Uint8Array>;
}

/** `onProgress` is told how many of the file's bytes have been handed to the connection. */
export function multipartBody(file: FileBody, onProgress: (sent: number) => void): MultipartBody {
  const boundary = `meet-${randomBytes(16).toString('hex')}`;
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted(file.name)}"\r\n` +
      `Content-Type: ${file.contentType}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  async function* body() {
    yield head;
    let sent = 0;
    for await (const chunk of file.chunks) {
      yield chunk;
      sent += chunk.length;
      onProgress(sent);
    }
    yield tail;
  }
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: head.length + file.size + tail.length,
    body: body(),
  };
}

/** As browsers write it (HTML standard, multipart/form-data encoding algorithm). */
const quoted = (name: string) => name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
