/// A 128-bit hash of bytes, to tell contents apart (FNV-1a, from two offsets).
public struct ContentHash: Sendable {
  private var low: UInt64 = 0xcbf2_9ce4_8422_2325
  private var high: UInt64 = 0x6c62_272e_07bb_0142

  public init() {}

  /// Adds the bytes, and how many they are.
  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    for byte in bytes {
      low = (low ^ UInt64(byte)) &* 0x100_0000_01b3
      high = (high ^ UInt64(byte &+ 0x5b)) &* 0x100_0000_01b3
    }
    low = (low ^ UInt64(truncatingIfNeeded: bytes.count)) &* 0x100_0000_01b3
  }

  public mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

  /// 32 hexadecimal digits.
  public var text: String {
    [high, low].map { part in
      let digits = String(part, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
