// Sound as speech services take it: 16 kHz, mono, 16 bit, uncompressed.

export const RATE_HZ = 16_000;
export const BYTES_PER_SEC = RATE_HZ * 2;

/** A WAV file of signed 16-bit mono samples, lowest byte first. */
export const wav = (samples: Buffer, rateHz = RATE_HZ): Buffer => {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rateHz, 24);
  header.writeUInt32LE(rateHz * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
};
