/** The VP9 payload descriptor, RFC 9628 section 4.2. */

export interface Vp9ScalabilityStructure {
  /** N_S + 1, 1 to 8. */
  readonly spatialLayers: number;
  /** Y: picture size of each spatial layer, lowest first. */
  readonly sizes?: readonly { readonly width: number; readonly height: number }[];
  /** G: the pictures of a picture group. */
  readonly pictureGroup?: readonly {
    readonly temporalId: number;
    readonly switchingUpPoint: boolean;
    readonly references: readonly number[];
  }[];
}

export interface Vp9Descriptor {
  /** P: predicted from other pictures; false for keyframes. */
  readonly interPicturePredicted: boolean;
  /** F: references are listed in each picture. */
  readonly flexible: boolean;
  /** B: first payload of a layer frame. */
  readonly startOfFrame: boolean;
  /** E: last payload of a layer frame. */
  readonly endOfFrame: boolean;
  /** Z: not used as reference for upper spatial layers. */
  readonly notReferenceForUpper: boolean;
  readonly pictureId?: number;
  readonly layer?: {
    readonly temporalId: number;
    /** U: a receiver may go up to this temporal layer here. */
    readonly switchingUpPoint: boolean;
    readonly spatialId: number;
    /** D: predicted from the spatial layer below. */
    readonly interLayerPredicted: boolean;
    /** In non-flexible mode only. */
    readonly tl0PicIdx?: number;
  };
  /** P_DIFF: how many pictures back the references are, at most 3; flexible mode only. */
  readonly references?: readonly number[];
  readonly structure?: Vp9ScalabilityStructure;
}

interface Cursor {
  readonly payload: Uint8Array;
  offset: number;
}

/** The next byte; 0 past the end, where `offset` tells afterwards that it was passed. */
function next(cursor: Cursor): number {
  return cursor.payload[cursor.offset++] ?? 0;
}

/** Reads the descriptor; `undefined` when the payload ends inside it or lists too many references. */
export function parseVp9Descriptor(
  payload: Uint8Array,
): { readonly descriptor: Vp9Descriptor; readonly bytes: number } | undefined {
  const cursor: Cursor = { payload, offset: 0 };
  const first = next(cursor);
  const flexible = (first & 0x10) !== 0;
  const interPicturePredicted = (first & 0x40) !== 0;
  const pictureId = (first & 0x80) !== 0 ? readPictureId(cursor) : undefined;
  const layer = (first & 0x20) !== 0 ? readLayer(cursor, flexible) : undefined;
  let references: number[] | undefined;
  if (flexible && interPicturePredicted) {
    references = [];
    let more = true;
    while (more) {
      if (references.length === 3) return undefined;
      const reference = next(cursor);
      references.push(reference >> 1);
      more = (reference & 1) !== 0;
    }
  }
  const structure = (first & 0x02) !== 0 ? readStructure(cursor) : undefined;
  if (cursor.offset > payload.length) return undefined;
  return {
    descriptor: {
      interPicturePredicted,
      flexible,
      startOfFrame: (first & 0x08) !== 0,
      endOfFrame: (first & 0x04) !== 0,
      notReferenceForUpper: (first & 0x01) !== 0,
      ...(pictureId !== undefined && { pictureId }),
      ...(layer && { layer }),
      ...(references && { references }),
      ...(structure && { structure }),
    },
    bytes: cursor.offset,
  };
}

function readPictureId(cursor: Cursor): number {
  const first = next(cursor);
  return (first & 0x80) === 0 ? first : ((first & 0x7f) << 8) | next(cursor);
}

function readLayer(cursor: Cursor, flexible: boolean): NonNullable<Vp9Descriptor['layer']> {
  const indices = next(cursor);
  return {
    temporalId: indices >> 5,
    switchingUpPoint: (indices & 0x10) !== 0,
    spatialId: (indices >> 1) & 7,
    interLayerPredicted: (indices & 1) !== 0,
    ...(!flexible && { tl0PicIdx: next(cursor) }),
  };
}

function readStructure(cursor: Cursor): Vp9ScalabilityStructure {
  const header = next(cursor);
  const spatialLayers = (header >> 5) + 1;
  const sizes: { width: number; height: number }[] = [];
  if ((header & 0x10) !== 0) {
    for (let i = 0; i < spatialLayers; i++) {
      const width = (next(cursor) << 8) | next(cursor);
      sizes.push({ width, height: (next(cursor) << 8) | next(cursor) });
    }
  }
  const group: { temporalId: number; switchingUpPoint: boolean; references: number[] }[] = [];
  if ((header & 0x08) !== 0) {
    const pictures = next(cursor);
    for (let i = 0; i < pictures; i++) {
      const picture = next(cursor);
      const references = Array.from({ length: (picture >> 2) & 3 }, () => next(cursor));
      group.push({ temporalId: picture >> 5, switchingUpPoint: (picture & 0x10) !== 0, references });
    }
  }
  return {
    spatialLayers,
    ...((header & 0x10) !== 0 && { sizes }),
    ...((header & 0x08) !== 0 && { pictureGroup: group }),
  };
}
