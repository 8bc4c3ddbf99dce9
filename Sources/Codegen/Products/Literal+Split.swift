import IR

/// A constant operand of a product, split when the program is compiled.
struct SplitConstant {
  var parts: Literal
  /// The inverse scale of each column.
  var scales: Literal
}

extension Literal {
  /// The columns as parts in tiles, as `OperandSplitting.columns` would write them; nil where a column cannot be split,
  /// and for splats, whose bytes are not there.
  func splitInColumns(_ operand: ProductOperand, _ scheme: SplitScheme) -> SplitConstant? {
    guard !isSplat, scheme.elementType.byteCount == 2 else { return nil }
    let strides = type.strides.compactMap(\.fixed)
    func offsets(_ chosen: [Int]) -> [Int] {
      allIndices(chosen.map { dimensions[$0] }).map { index in
        zip(index, chosen).reduce(0) { $0 + $1.0 * strides[$1.1] }
      }
    }
    let (batchOffsets, columnOffsets) = (offsets(operand.batchDimensions), offsets(operand.lineDimensions))
    let depthOffsets = offsets(operand.depthDimensions)
    let layout = SplitLayout(
      partCount: scheme.partCount, count: operand.lineCount, taps: operand.tapCount, depth: operand.depthCount)
    guard let blockCount = layout.blockCount.fixed, let depthBlockCount = layout.depthBlockCount.fixed,
      let tapBlockCount = layout.tapBlockCount.fixed
    else { return nil }
    // Where each step is read, and which step it is in blocks of 32.
    let steps = offsets(operand.tapDimensions).enumerated().flatMap { tap, offset in
      depthOffsets.enumerated().map { (offset + $1, tap * tapBlockCount * SplitLayout.block + $0) }
    }
    let lineCount = batchOffsets.count * blockCount * SplitLayout.block
    let partElementCount = batchOffsets.count * blockCount * depthBlockCount * layout.stepElementCount
    var scales = [Float](repeating: 1, count: lineCount)
    var parts = [UInt16](repeating: 0, count: partElementCount)
    let isSplit = withFloats { source in
      parts.withUnsafeMutableBufferPointer { parts in
        for (batch, batchOffset) in batchOffsets.enumerated() {
          for (column, columnOffset) in columnOffsets.enumerated() {
            let (block, inBlock) = (column / SplitLayout.block, column % SplitLayout.block)
            let line = (batch * blockCount + block) * SplitLayout.block + inBlock
            let start = batchOffset + columnOffset
            var largest = Float(0)
            for (offset, _) in steps {
              let magnitude = abs(source[start + offset])
              if !(magnitude <= largest) { largest = magnitude }
              if magnitude.isNaN { return false }
            }
            guard let scale = scheme.scale(largest: largest) else { return false }
            scales[line] = 1 / scale
            let first =
              (batch * blockCount + block) * depthBlockCount * layout.stepElementCount
              + inBlock / Tile.laneCount * SplitLayout.tileElementCount + inBlock % Tile.laneCount * 2
            for (offset, step) in steps {
              let inTile = scheme.place(ofStep: step % SplitLayout.block)
              var position =
                first + step / SplitLayout.block * layout.stepElementCount + inTile / 2 * SplitLayout.block
                + inTile % 2
              var rest = source[start + offset] * scale
              for _ in 0..<scheme.partCount {
                let (bits, value) = scheme.rounded(rest)
                parts[position] = bits
                rest -= value
                position += 2 * SplitLayout.tileElementCount
              }
            }
          }
        }
        return true
      }
    }
    guard isSplit else { return nil }
    return SplitConstant(
      parts: Literal(
        scheme.elementType, [batchOffsets.count, blockCount, depthBlockCount, layout.stepElementCount],
        bytes: parts.withUnsafeBytes { Array($0) }),
      scales: Literal(
        .f32, [batchOffsets.count, blockCount, SplitLayout.block], bytes: scales.withUnsafeBytes { Array($0) }))
  }

  /// Calls `body` with the elements of an f32, bf16 or f16 literal as f32.
  func withFloats<Result>(_ body: (UnsafeBufferPointer<Float>) -> Result) -> Result {
    if elementType == .f32, bytes.withUnsafeBytes({ Int(bitPattern: $0.baseAddress) % 4 == 0 }) {
      return bytes.withUnsafeBytes { body($0.bindMemory(to: Float.self)) }
    }
    return scalars.map { Float($0.realValue) }.withUnsafeBufferPointer(body)
  }
}

extension SplitScheme {
  /// What a line is multiplied by: the power of two that brings the magnitude into [2^14, 2^15), or 1 where lines are not
  /// scaled and for zero; nil where the magnitude is not finite or too large or small.
  fileprivate func scale(largest: Float) -> Float? {
    if largest == 0 { return 1 }
    guard largest.isFinite, exponents.contains(Int(largest.exponent)) else { return nil }
    return isScaled ? Float(sign: .plus, exponent: 14 - largest.exponent, significand: 1) : 1
  }

  /// The nearest part, as bits and as f32; halves go to even.
  fileprivate func rounded(_ value: Float) -> (bits: UInt16, value: Float) {
    switch format {
    case .f16:
      let half = Float16(value)
      return (half.bitPattern, Float(half))
    case .bf16:
      let bits = value.bitPattern
      let part = UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
      return (part, Float(bitPattern: UInt32(part) << 16))
    }
  }
}
