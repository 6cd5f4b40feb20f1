// Portions of a pipe or a socket, 64 KiB each, are garbage as soon as they are copied. Left to the
// collector they make it mark the whole heap for every thirty megabytes that pass.

/**
 * Frees a portion's memory at once, unless other views may share it.
 * @param chunk empty from now on
 */
export const freeChunk = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
};
