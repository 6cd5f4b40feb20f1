// What highlights are compared with: chat's bare message rate, and that rate over its local mean.
import type { ChatMessage } from "#shared/contract/chat.ts";

/** Messages in each second. */
export const messageRate = (messages: readonly ChatMessage[], lengthSec: number): number[] => {
  const rate = Array.from({ length: lengthSec }, () => 0);
  for (const { offsetSec } of messages) {
    const sec = Math.floor(offsetSec);
    if (sec >= 0 && sec < lengthSec) rate[sec] = rate[sec]! + 1;
  }
  return rate;
};

const NEAR_SEC = 5;
const LOCAL_SEC = 150;

/** Mean rate of ten seconds over that of five minutes, both around the second. */
export const rateOverLocalMean = (rate: readonly number[]): number[] => {
  const total = [0];
  for (const x of rate) total.push(total.at(-1)! + x);
  const mean = (sec: number, reach: number): number => {
    const from = Math.max(0, sec - reach);
    const to = Math.min(rate.length, sec + reach);
    return (total[to]! - total[from]!) / (to - from);
  };
  return rate.map((_, sec) => {
    const local = mean(sec, LOCAL_SEC);
    return local > 0 ? mean(sec, NEAR_SEC) / local : 0;
  });
};
