internal import Codegen
internal import IR

/// The file with a program's constants, each at its place.
enum WeightsFile {
  /// Writes the constants one after the other, so that no second copy of them is made; returns the bytes they take.
  ///
  /// A key goes behind them in the last eight bytes of the file where one is given: a library that maps the file
  /// compares it with its own.
  @discardableResult
  static func write(_ constants: [Program.Constant], to path: String, key: UInt64? = nil) throws(Failure) -> Int {
    var file = try OutputFile(path)
    for constant in constants.sorted(by: { $0.byteOffset < $1.byteOffset }) {
      try file.pad(to: constant.byteOffset)
      try append(constant.value, to: &file)
    }
    let byteCount = file.byteCount
    if let key {
      try file.pad(to: (byteCount + 7) / 8 * 8)
      try file.append((0..<8).map { UInt8(truncatingIfNeeded: key >> (8 * UInt64($0))) })
    }
    return byteCount
  }

  /// A number that differs between constants that differ, but for rare chance. Looks at all bytes.
  static func key(of constants: [Program.Constant]) -> UInt64 {
    var key: UInt64 = 0xcbf2_9ce4_8422_2325
    for constant in constants {
      key = (key ^ UInt64(constant.byteOffset)) &* 0x100_0000_01b3
      constant.value.bytes.withUnsafeBytes { raw in
        var position = 0
        while position + 8 <= raw.count {
          key = (key ^ raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)) &* 0x100_0000_01b3
          key ^= key >> 29
          position += 8
        }
        while position < raw.count {
          key = (key ^ UInt64(raw[position])) &* 0x100_0000_01b3
          position += 1
        }
      }
    }
    return key
  }

  private static func append(_ literal: Literal, to file: inout OutputFile) throws(Failure) {
    guard literal.isSplat else {
      try file.append(literal.bytes)
      return
    }
    var rest = literal.elementCount
    let chunkCount = max(1, min(rest, 65536 / literal.bytes.count))
    var chunk: [UInt8] = []
    chunk.reserveCapacity(chunkCount * literal.bytes.count)
    for _ in 0..<chunkCount { chunk += literal.bytes }
    while rest > 0 {
      let count = min(rest, chunkCount)
      if count < chunkCount { chunk.removeLast((chunkCount - count) * literal.bytes.count) }
      try file.append(chunk)
      rest -= count
    }
  }
}
