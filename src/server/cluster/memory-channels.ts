import type { LiveStateLogger } from './open.ts';
import type { Channels, Json } from './types.ts';

type Listener = (message: Json) => void;

export function memoryChannels(logger: LiveStateLogger): { channels: Channels; close: () => void } {
  const listeners = new Map<string, Set<{ call: Listener }>>();
  const deliver = (channel: string, text: string) => {
    for (const { call } of [...(listeners.get(channel) ?? [])]) {
      try {
        call(JSON.parse(text));
      } catch (error) {
        logger.error({ err: error, channel }, 'A listener of a channel failed.');
      }
    }
  };
  const channels: Channels = {
    async publish(channel, message) {
      const text = JSON.stringify(message);
      setImmediate(() => deliver(channel, text));
    },
    async subscribe(channel, call) {
      // Two subscriptions of the same function are two.
      const listener = { call };
      const ofChannel = listeners.get(channel) ?? new Set();
      listeners.set(channel, ofChannel.add(listener));
      return async () => {
        ofChannel.delete(listener);
        if (ofChannel.size === 0 && listeners.get(channel) === ofChannel) listeners.delete(channel);
      };
    },
  };
  return { channels, close: () => listeners.clear() };
}
