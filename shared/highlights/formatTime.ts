// A time as people write it: 1:05, 12:34, 1:02:03.

/** @param sec seconds, cut to whole ones */
export const formatTime = (sec: number): string => {
  const whole = Math.max(0, Math.floor(sec));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [hours, minutes, seconds] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
};
