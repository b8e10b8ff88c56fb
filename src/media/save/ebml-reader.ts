/** EBML elements, read: RFC 8794. */

/** Size of an element whose end its writer did not know. */
export const UNKNOWN = Number.POSITIVE_INFINITY;

export interface Element {
  readonly id: number;
  readonly data: Buffer;
}

/** An element's size and the bytes that it takes; `undefined` where they are not all there or are no size. */
export function readSize(data: Buffer, at: number): { value: number; bytes: number } | undefined {
  const first = data[at];
  if (first === undefined || first === 0) return undefined;
  const bytes = Math.clz32(first) - 23;
  if (at + bytes > data.length) return undefined;
  let value = first & (0xff >> bytes);
  let ones = value === 0xff >> bytes;
  for (let i = 1; i < bytes; i++) {
    const byte = data[at + i]!;
    ones &&= byte === 0xff;
    value = value * 256 + byte;
  }
  return { value: ones ? UNKNOWN : value, bytes };
}

/** The whole elements of an element's content; what is cut or damaged ends them. */
export function subElements(content: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < content.length; ) {
    const first = content[at]!;
    if (first < 0x10) break;
    const idBytes = Math.clz32(first) - 23;
    const size = readSize(content, at + idBytes);
    if (size === undefined) break;
    const from = at + idBytes + size.bytes;
    if (from + size.value > content.length) break;
    found.push({ id: content.readUIntBE(at, idBytes), data: content.subarray(from, from + size.value) });
    at = from + size.value;
  }
  return found;
}

/** An unsigned integer of up to six bytes. */
export function readUint(data: Buffer): number {
  return data.length === 0 || data.length > 6 ? 0 : data.readUIntBE(0, data.length);
}
