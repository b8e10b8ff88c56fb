/** An object that another service reads, and that is then deleted. */
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Fault } from './faults.ts';

/**
 * Puts it, gives what `use` gives, and deletes it whatever comes of that.
 *
 * @throws MeetError `storage-failed`, `disk-full`; what `use` throws
 */
export async function withTemporaryObject<T>(
  client: S3Client,
  object: { readonly bucket: string; readonly key: string; readonly data: Uint8Array },
  use: () => Promise<T>,
): Promise<T> {
  const target = { Bucket: object.bucket, Key: object.key };
  try {
    await client.send(new PutObjectCommand({ ...target, Body: object.data }));
  } catch (error) {
    throw s3Fault(error, object.bucket, object.key);
  }
  try {
    return await use();
  } finally {
    // What is left behind costs little, and must not hide what `use` has to say.
    await client.send(new DeleteObjectCommand(target)).catch(() => undefined);
  }
}
