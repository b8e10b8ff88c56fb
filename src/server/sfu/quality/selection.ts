/** Applies the rules to one receiver over time: what is sent now, and when that changes. */
import { isDeepStrictEqual } from 'node:util';
import type { LayerReason } from '../../../protocol/signaling.ts';
import {
  AFTERMATH_CLING_SHARE,
  AFTERMATH_MS,
  allocate,
  BUDGET_LOSS,
  CLING_MS,
  CLING_SHARE,
  DRAIN_MS,
  DRAIN_WINDOW_MS,
  FALL_SHARE,
  FALL_WINDOW_MS,
  FALLING_LOSS_SHARE,
  FALLING_SHARE,
  FEC_LOSS,
  FORGET_FAILURE_FACTOR,
  HEAVY_KEEP_LOSS,
  HEAVY_LOSS,
  HOLD_MS,
  KEEP_SHARE,
  LASTING_LOSS_MS,
  LONGEST_HOLD_MS,
  LOSSY_BUDGET_SHARE,
  NEWS_FACTOR,
  PROBE_LEAD_MS,
  STEADY_SHARE,
  type Step,
  SUDDEN_FALL,
  SUDDEN_LOSS,
  SUDDEN_LOSS_FALLING,
  SUDDEN_LOSS_MS,
  SUDDEN_LOSS_SHARE,
  stepsOf,
  TREND_MS,
  TREND_SHARE,
  TRIAL_MS,
  VIDEO_MIN_BITRATE,
} from './policy.ts';
import type { Decision, PolicyInput, VideoDecision, VideoInput } from './types.ts';

/** Bandwidths are looked for to this precision, bits a second. */
const STEP_BITRATE = 5_000;

const same = (a: ReadonlyMap<string, Step>, b: ReadonlyMap<string, Step>): boolean =>
  a.size === b.size &&
  [...a].every(([id, { layer, temporal }]) => {
    const other = b.get(id);
    return other?.layer === layer && other.temporal === temporal;
  });

/** Follows one receiver's network and decides by the rules of policy.ts. */
export class Selection {
  #samples: { atMs: number; estimate: number }[] = [];
  /** Losses of the last {@link SUDDEN_LOSS_MS}. */
  #losses: { atMs: number; loss: number }[] = [];
  /** The bandwidth that is being made use of. */
  #granted: number | undefined;
  #switchedAtMs = -Infinity;
  #loweredAtMs = -Infinity;
  #clingingSinceMs: number | undefined;
  #raised: { readonly atMs: number; readonly to: number } | undefined;
  #holdMs = HOLD_MS;
  /** What was found not to suffice for more, and for which videos. */
  #judged: { readonly mean: number; readonly videos: readonly VideoInput[] } | undefined;
  #failedAt = Number.POSITIVE_INFINITY;
  #budgetShare = 1;
  #lossCap = Number.POSITIVE_INFINITY;
  #lossyAtMs = -Infinity;
  #lossySinceMs: number | undefined;
  #heavySinceMs: number | undefined;

  /** Call it some times a second; `nowMs` must not go back. */
  update(input: PolicyInput): Decision {
    const { nowMs, estimate, audioBitrate, videos } = input;
    const before = this.#samples.at(-1)?.estimate ?? estimate;
    this.#samples.push({ atMs: nowMs, estimate });
    if (estimate < before * SUDDEN_FALL && nowMs - this.#loweredAtMs >= DRAIN_MS) {
      // What was before it says nothing about now.
      this.#samples = this.#samples.filter(({ atMs }) => atMs >= nowMs);
    }
    this.#granted ??= estimate;
    this.#followLoss(input);
    const share = this.#shareAmong(audioBitrate, videos);
    this.#followSuddenLoss(input, share);
    const recent = this.#recent(nowMs);
    this.#lower(input, recent, share);
    if (input.proven === true && estimate > this.#granted) {
      this.#granted = estimate;
      this.#raisedTo(nowMs, estimate);
    } else {
      this.#raise(nowMs, videos, share);
    }
    const rises = this.#sustained(nowMs, this.#holdMs - PROBE_LEAD_MS)?.least ?? 0;
    const due = nowMs - this.#switchedAtMs >= this.#holdMs - PROBE_LEAD_MS;
    this.#forget(nowMs);

    const chosen = share(this.#granted);
    const soon = this.#shareAmong(audioBitrate, videos.map(awake))(Math.max(this.#granted, recent));
    const lossless = allocate(this.#granted, audioBitrate, videos);
    const decisions = videos.map((video) => decide(video, chosen, soon, lossless));
    return {
      videos: decisions,
      audioOnly: videos.length > 0 && chosen.size === 0,
      starved: videos.length > 0 && chosen.size === 0 && this.#lossCap >= 0,
      prove: due && rises > this.#granted ? needed(share, this.#granted, rises) : undefined,
      bitrate: decisions.reduce((sum, { trackId, layer }) => {
        return sum + (layer < 0 ? 0 : (chosen.get(trackId)?.cost ?? 0));
      }, 0),
    };
  }

  #recent(nowMs: number): number {
    const draining = nowMs - this.#loweredAtMs < DRAIN_MS;
    if (!draining && this.#falls(nowMs)) return this.#samples.at(-1)!.estimate;
    const window = draining ? DRAIN_WINDOW_MS : FALL_WINDOW_MS;
    const recent = this.#samples.filter(
      ({ atMs }, index) => nowMs - atMs <= window || index >= this.#samples.length - 2,
    );
    return Math.max(...recent.map(({ estimate }) => estimate));
  }

  /** The estimate has fallen twice in a row. */
  #falls(nowMs: number): boolean {
    let falls = 0;
    let later = this.#samples.at(-1)!.estimate;
    for (let index = this.#samples.length - 2; index >= 0 && falls < 2; index -= 1) {
      const { atMs, estimate } = this.#samples[index]!;
      if (nowMs - atMs > TREND_MS || estimate < later) return false;
      if (estimate * TREND_SHARE < later) continue;
      falls += 1;
      later = estimate;
    }
    return falls === 2;
  }

  #lower(input: PolicyInput, recent: number, share: (bandwidth: number) => Map<string, Step>): void {
    const { nowMs } = input;
    const clings = this.#clings(input, recent, share);
    const bandwidth = clings ? VIDEO_MIN_BITRATE : recent;
    const bearable = clings || recent < this.#granted! * FALL_SHARE ? bandwidth : bandwidth / KEEP_SHARE;
    if (bearable >= this.#granted!) return;
    if (same(share(bearable), share(this.#granted!))) {
      this.#granted = bearable;
      return;
    }
    this.#granted = bandwidth;
    this.#lowered(nowMs);
  }

  /** The estimate is too low for any video, and the least that is being sent comes through all the same. */
  #clings(
    { nowMs, loss, audioBitrate }: PolicyInput,
    recent: number,
    share: (bandwidth: number) => Map<string, Step>,
  ): boolean {
    if (recent >= VIDEO_MIN_BITRATE || this.#granted! < VIDEO_MIN_BITRATE) {
      this.#clingingSinceMs = undefined;
      return false;
    }
    const [least, another] = [...share(VIDEO_MIN_BITRATE).values()];
    if (least === undefined || another !== undefined) return false;
    const aftermath = nowMs - this.#loweredAtMs < AFTERMATH_MS;
    const enough = least.cost * (aftermath ? AFTERMATH_CLING_SHARE : CLING_SHARE);
    if (recent - audioBitrate < enough || (loss >= FEC_LOSS && !aftermath)) return false;
    this.#clingingSinceMs ??= nowMs;
    return nowMs - this.#clingingSinceMs < CLING_MS;
  }

  /** A switch down, for whatever reason. */
  #lowered(nowMs: number): void {
    this.#switchedAtMs = nowMs;
    this.#loweredAtMs = nowMs;
    this.#judged = undefined;
    if (this.#raised === undefined) return;
    if (nowMs - this.#raised.atMs <= TRIAL_MS) {
      this.#holdMs = Math.min(this.#holdMs * 2, LONGEST_HOLD_MS);
      this.#failedAt = this.#raised.to;
    }
    this.#raised = undefined;
  }

  #raise(
    nowMs: number,
    videos: readonly VideoInput[],
    share: (bandwidth: number) => Map<string, Step>,
  ): void {
    if (this.#raised !== undefined && nowMs - this.#raised.atMs > TRIAL_MS) {
      this.#raised = undefined;
      this.#holdMs = HOLD_MS;
    }
    const sustained = this.#sustained(nowMs, HOLD_MS);
    if (sustained === undefined) return;
    const { least, mean } = sustained;
    if (this.#judged !== undefined) {
      const news = mean >= this.#judged.mean * NEWS_FACTOR || !isDeepStrictEqual(videos, this.#judged.videos);
      this.#judged = news ? undefined : { mean: Math.min(mean, this.#judged.mean), videos };
      if (!news) return;
    }
    if (least >= this.#failedAt * FORGET_FAILURE_FACTOR) this.#holdMs = HOLD_MS;
    const held = this.#sustained(nowMs, this.#holdMs)?.least;
    if (nowMs - this.#switchedAtMs < this.#holdMs || held === undefined) return;
    if (held > this.#granted! && !same(share(held), share(this.#granted!))) {
      this.#granted = held;
      this.#raisedTo(nowMs, held);
    } else {
      this.#granted = Math.max(held, this.#granted!);
      // A window that still holds the time before a rise says nothing about the time after it.
      if (least >= mean * STEADY_SHARE) this.#judged = { mean, videos };
    }
  }

  #raisedTo(nowMs: number, to: number): void {
    this.#switchedAtMs = nowMs;
    this.#judged = undefined;
    this.#raised = { atMs: nowMs, to };
  }

  /** The estimates of that long; `undefined` when they do not reach back so far. */
  #sustained(nowMs: number, durationMs: number): { least: number; mean: number } | undefined {
    const [oldest] = this.#samples;
    if (oldest === undefined || nowMs - oldest.atMs < durationMs) return undefined;
    const all = this.#samples.filter(({ atMs }) => nowMs - atMs <= durationMs);
    return {
      least: all.reduce((least, { estimate }) => Math.min(least, estimate), Number.POSITIVE_INFINITY),
      mean: all.reduce((sum, { estimate }) => sum + estimate, 0) / all.length,
    };
  }

  /** Keeps one sample from before the wait, so that the samples reach back over all of it. */
  #forget(nowMs: number): void {
    const first = this.#samples.findLastIndex(({ atMs }) => nowMs - atMs >= this.#holdMs);
    if (first > 0) this.#samples.splice(0, first);
  }

  #followLoss({ nowMs, loss, audioBitrate, videos }: PolicyInput): void {
    const shared = () => this.#shareAmong(audioBitrate, videos)(this.#granted!);
    if (loss >= BUDGET_LOSS) {
      this.#lossyAtMs = nowMs;
      this.#lossySinceMs ??= nowMs;
      if (this.#budgetShare === 1 && this.#lasts(this.#lossySinceMs, nowMs) && !this.#lossFalls(loss)) {
        const before = shared();
        this.#budgetShare = LOSSY_BUDGET_SHARE;
        if (!same(before, shared())) this.#lowered(nowMs);
      }
    } else if (loss < FEC_LOSS) {
      this.#lossySinceMs = undefined;
    }
    if (nowMs - this.#lossyAtMs >= HOLD_MS && nowMs - this.#switchedAtMs >= this.#holdMs) {
      this.#endLoss(nowMs, videos, shared);
    }
    if (loss > HEAVY_LOSS) this.#heavySinceMs ??= nowMs;
    else if (loss < HEAVY_KEEP_LOSS) this.#heavySinceMs = undefined;
    if (this.#heavySinceMs === undefined) return;
    if (!this.#lasts(this.#heavySinceMs, nowMs) || this.#lossFalls(loss)) return;
    if (this.#lossCap < 0 || videos.length === 0) return;
    const highest = Math.max(0, ...[...shared().values()].map(({ layer }) => layer));
    this.#lossCap = highest - 1;
    this.#lowered(nowMs);
  }

  #lasts(sinceMs: number, nowMs: number): boolean {
    return nowMs - Math.max(sinceMs, this.#switchedAtMs) >= LASTING_LOSS_MS;
  }

  #lossFalls(loss: number): boolean {
    return this.#losses.some((before) => loss < before.loss * FALLING_LOSS_SHARE);
  }

  #followSuddenLoss(
    { nowMs, estimate, loss, lossAnew, audioBitrate }: PolicyInput,
    share: (bandwidth: number) => Map<string, Step>,
  ): void {
    this.#losses = lossAnew ? [] : this.#losses.filter(({ atMs }) => nowMs - atMs <= SUDDEN_LOSS_MS);
    const falling = this.#samples.some(
      (before) => nowMs - before.atMs <= SUDDEN_LOSS_MS && estimate < before.estimate * FALLING_SHARE,
    );
    const rises =
      loss >= (falling ? SUDDEN_LOSS_FALLING : SUDDEN_LOSS) &&
      this.#losses.some((before) => before.loss < FEC_LOSS);
    this.#losses.push({ atMs: nowMs, loss });
    // What is lost after a switch down was lost for the reason of the switch.
    if (!rises || nowMs - this.#loweredAtMs < LASTING_LOSS_MS) return;
    const sent = share(this.#granted!);
    const used = [...sent.values()].reduce((sum, { cost }) => sum + cost, audioBitrate);
    const left = (used * SUDDEN_LOSS_SHARE) / this.#budgetShare;
    if (left >= this.#granted! || same(share(left), sent)) return;
    // Once for each time that it begins.
    this.#losses = [];
    this.#granted = left;
    this.#lowered(nowMs);
  }

  /** The loss is over. What the bandwidth seemed to be meanwhile was not made use of, and so is not proven. */
  #endLoss(nowMs: number, videos: readonly VideoInput[], shared: () => Map<string, Step>): void {
    const before = shared();
    this.#budgetShare = 1;
    this.#liftCap(videos);
    if (same(before, shared())) return;
    const known = this.#granted!;
    do this.#granted! -= STEP_BITRATE;
    while (this.#granted! > VIDEO_MIN_BITRATE && !same(before, shared()));
    if (!same(before, shared())) {
      this.#granted = known;
      this.#raisedTo(nowMs, known);
      return;
    }
    this.#judged = undefined;
    // It may rise as soon as it is.
    this.#switchedAtMs = nowMs - this.#holdMs + PROBE_LEAD_MS;
  }

  /** One layer more; above the best of all videos there is no cap. */
  #liftCap(videos: readonly VideoInput[]): void {
    this.#lossCap++;
    if (videos.every(({ layers }) => layers.length - 1 <= this.#lossCap)) {
      this.#lossCap = Number.POSITIVE_INFINITY;
    }
  }

  #shareAmong(audioBitrate: number, videos: readonly VideoInput[]): (bandwidth: number) => Map<string, Step> {
    return (bandwidth) =>
      this.#lossCap < 0
        ? new Map()
        : allocate(bandwidth * this.#budgetShare, audioBitrate, videos, this.#lossCap);
  }
}

/** As if the sender sent all it has. */
function awake(video: VideoInput): VideoInput {
  if (video.layers.every(({ state }) => state === 'active')) return video;
  return { ...video, layers: video.layers.map((layer) => ({ ...layer, state: 'active' })) };
}

/** The least bandwidth between the two that gives what the higher one gives; `undefined` when both give the same. */
function needed(
  share: (bandwidth: number) => Map<string, Step>,
  low: number,
  high: number,
): number | undefined {
  const best = share(high);
  if (same(share(low), best)) return undefined;
  let [below, enough] = [low, high];
  while (enough - below > STEP_BITRATE) {
    const middle = (below + enough) / 2;
    if (same(share(middle), best)) enough = middle;
    else below = middle;
  }
  return enough;
}

function decide(
  video: VideoInput,
  chosen: ReadonlyMap<string, Step>,
  soon: ReadonlyMap<string, Step>,
  lossless: ReadonlyMap<string, Step>,
): VideoDecision {
  const { trackId, layers } = video;
  const step = chosen.get(trackId);
  const wanted = Math.max(step?.layer ?? -1, soon.get(trackId)?.layer ?? -1);
  if (step === undefined) {
    const reason = lossless.has(trackId) ? 'loss' : 'bandwidth';
    return { trackId, layer: -1, temporalLayer: -1, reason, wanted };
  }
  // A layer that sleeps is sent when it is awake; until then the best below it that is.
  let layer = step.layer;
  while (layer > 0 && layers[layer]!.state !== 'active') layer--;
  const woken = layers[layer]!.state === 'active' ? layer : step.layer;
  const temporalLayer =
    woken === step.layer ? step.temporal : Math.max(0, layers[woken]!.bitrates.length - 1);
  return { trackId, layer: woken, temporalLayer, reason: reasonOf(video, step, woken, lossless), wanted };
}

function reasonOf(
  video: VideoInput,
  step: Step,
  layer: number,
  lossless: ReadonlyMap<string, Step>,
): LayerReason {
  if (layer < step.layer) return 'sender';
  const best = stepsOf(video, Number.POSITIVE_INFINITY).at(-1)!;
  if (step.layer === best.layer && step.temporal === best.temporal) {
    const asked = stepsOf(awake(video), Number.POSITIVE_INFINITY).at(-1)!;
    return asked.layer > best.layer ? 'sender' : 'asked';
  }
  const without = lossless.get(video.trackId);
  const better =
    without !== undefined &&
    (without.layer > step.layer || (without.layer === step.layer && without.temporal > step.temporal));
  return better ? 'loss' : 'bandwidth';
}
