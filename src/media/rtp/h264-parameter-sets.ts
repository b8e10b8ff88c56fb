/** Keeps the parameter sets of an H.264 stream, so that each IDR picture can carry them. */
import { NAL, nalType } from './h264-nal.ts';

/** More parameter sets than any real stream has; a hostile one must not fill the memory. */
const MAX_SETS = 16;
const MAX_SET_BYTES = 4096;

export interface ParameterSets {
  /**
   * Notes the sets in the picture. Gives the picture's NAL units, with the kept sets in front of an IDR
   * picture that came without (RFC 6184 section 8.4: a joining receiver decodes from there).
   */
  complete(nals: readonly Buffer[]): readonly Buffer[];
}

export function parameterSets(): ParameterSets {
  let kept: { readonly sps: Buffer[]; readonly pps: Buffer[] } = { sps: [], pps: [] };

  function note(nals: readonly Buffer[], type: number): Buffer[] {
    return nals
      .filter((nal) => nalType(nal) === type && nal.length <= MAX_SET_BYTES)
      .slice(0, MAX_SETS)
      .map((nal) => Buffer.from(nal));
  }

  return {
    complete(nals) {
      const sps = note(nals, NAL.sps);
      const pps = note(nals, NAL.pps);
      if (sps.length > 0) kept = { sps, pps: pps.length > 0 ? pps : kept.pps };
      else if (pps.length > 0) kept = { sps: kept.sps, pps };
      if (!nals.some((nal) => nalType(nal) === NAL.idr)) return nals;
      const missing = [...(sps.length === 0 ? kept.sps : []), ...(pps.length === 0 ? kept.pps : [])];
      if (missing.length === 0) return nals;
      // The access unit delimiter stays first (ITU-T H.264 section 7.4.1.2.3); an SPS precedes its PPS.
      const at = sps.length > 0 ? nals.findLastIndex((nal) => nalType(nal) === NAL.sps) + 1 : 0;
      const from = at === 0 && nals[0] && nalType(nals[0]) === NAL.aud ? 1 : at;
      return [...nals.slice(0, from), ...missing, ...nals.slice(from)];
    },
  };
}
