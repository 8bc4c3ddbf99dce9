import Foundation
import IR

extension Operator {
  /// Fourier transforms as products with matrices of cosines and sines, and what is used with them.
  static let signals: [Operator] = [
    Operator("DFT", one: fourier),
    Operator("STFT", one: shortTimeFourier),
    Operator("MelWeightMatrix", one: melWeights),
  ]

  /// The axis is an attribute before opset 20, then an input.
  private static func fourier(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let isInverse = try n.flag("inverse")
    let isOneSided = try n.flag("onesided")
    var given = n.version < 20 ? try n.int("axis", default: 1) : -2
    if n.version >= 20, let input = n.optional(2) { given = try n.integers(of: input, "axis").first ?? -2 }
    let axis = try n.axis(given, rank: x.rank)
    guard axis < x.rank - 1, let count = x.shape[axis].fixed else {
      throw .unsupported("a transform along dimension \(axis) of \(x.type.detailedDescription)")
    }
    var length = isInverse && isOneSided ? 2 * (count - 1) : count
    if let input = n.optional(1) { length = try n.integers(of: input, "length").first ?? length }
    return try n.fourier(x, axis: axis, length: length, isInverse: isInverse, isOneSided: isOneSided)
  }

  private static func shortTimeFourier(_ n: inout Lowering) throws(OpError) -> Value {
    var x = try n.input(0)
    let isOneSided = try n.flag("onesided", default: true)
    guard x.rank == 2 || x.rank == 3, let count = x.shape[1].fixed,
      let step = try n.integers(of: try n.input(1), "frame step").first, step > 0
    else { throw .unsupported("a signal \(x.type.detailedDescription)") }
    if x.rank == 2 { x = try n.unsqueeze(x, 2) }
    var length = n.optional(2)?.shape.first?.fixed ?? 0
    if let input = n.optional(3) { length = try n.integers(of: input, "frame length").first ?? length }
    guard length > 0, length <= count else { throw OpError("its frames have \(length) of \(count) elements") }
    let frameCount = (count - length) / step + 1
    let positions = (0..<frameCount).flatMap { frame in (0..<length).map { frame * step + $0 } }
    let indices = try n.reshape(n.vector(positions), [Extent(frameCount), Extent(length)])
    var frames = try n.take(x, indices, axis: 1)
    if let window = n.optional(2) { frames = try n.multiply(frames, n.unsqueeze(window, 1)) }
    return try n.fourier(frames, axis: 2, length: length, isInverse: false, isOneSided: isOneSided)
  }

  /// Triangles of weights that map the bins of a spectrum to bands of the mel scale.
  private static func melWeights(_ n: inout Lowering) throws(OpError) -> Value {
    let element = try n.elementAttribute("output_datatype") ?? .f32
    let (bands, length) = (try n.input(0), try n.input(1))
    guard let bandCount = try n.integers(of: bands, "bands").first, bandCount > 0, bandCount < 1 << 16,
      let length = try n.integers(of: length, "length").first, length > 0, length < 1 << 20,
      let rate = try n.integers(of: try n.input(2), "rate").first,
      let least = try n.numbers(of: try n.input(3), "lower edge").first,
      let greatest = try n.numbers(of: try n.input(4), "upper edge").first
    else { throw OpError("its numbers are not positive") }
    let binCount = length / 2 + 1
    let low = 2595 * log10(1 + least / 700)
    let high = 2595 * log10(1 + greatest / 700)
    let step = (high - low) / Double(bandCount + 2)
    let edges: [Int] = (0..<bandCount + 2).map { index in
      let frequency = 700 * (pow(10, (Double(index) * step + low) / 2595) - 1)
      return Int(Double(length + 1) * frequency / Double(rate))
    }
    var weights = [Double](repeating: 0, count: binCount * bandCount)
    for band in 0..<bandCount {
      let (first, middle, last) = (edges[band], edges[band + 1], edges[band + 2])
      if first == middle {
        if (0..<binCount).contains(middle) { weights[middle * bandCount + band] = 1 }
      } else {
        for bin in max(0, first)..<min(middle + 1, binCount) {
          weights[bin * bandCount + band] = Double(bin - first) / Double(middle - first)
        }
      }
      if last != middle {
        for bin in max(0, middle)..<min(last, binCount) {
          weights[bin * bandCount + band] = Double(last - bin) / Double(last - middle)
        }
      }
    }
    return try n.reshape(n.vector(weights, element), [Extent(binCount), Extent(bandCount)])
  }
}

extension Lowering {
  /// The discrete Fourier transform along `axis`; the last dimension holds real parts, or real and imaginary ones.
  ///
  /// One-sided: forward only the first half of the bins, inverse from that half to real values.
  mutating func fourier(
    _ x: Value, axis: Int, length: Int, isInverse: Bool, isOneSided: Bool
  ) throws(OpError) -> Value {
    guard length > 0, length <= 1 << 14, let count = x.shape[axis].fixed, let parts = x.shape[x.rank - 1].fixed,
      parts == 1 || parts == 2
    else {
      throw .unsupported("a transform of \(length) elements of \(x.type.detailedDescription)")
    }
    let isReal = isInverse && isOneSided
    let used = min(count, isReal ? length / 2 + 1 : length)
    let results = isOneSided && !isInverse ? length / 2 + 1 : length
    let last = x.rank - 1
    let head = try slice(x, axis: axis, 0, Extent(used))
    let real = try squeeze(slice(head, axis: last, 0, 1), last)
    let imaginary = parts == 2 ? try squeeze(slice(head, axis: last, 1, 2), last) : nil
    let cosines = matrix(used, results, length, isInverse, isReal, x.element) { cos($0) }
    let sines = matrix(used, results, length, isInverse, isReal, x.element) { sin($0) }
    func product(_ value: Value, _ matrix: Value) throws(OpError) -> Value {
      let product = try dot(value, matrix, contracting: ([axis], [0]))
      var order = Array(0..<value.rank - 1)
      order.insert(value.rank - 1, at: axis)
      return try transpose(product, order)
    }
    var realPart = try product(real, cosines)
    var imaginaryPart = try product(real, sines)
    if !isInverse { imaginaryPart = try map(.negate, imaginaryPart) }
    if let imaginary {
      let cross = try product(imaginary, sines)
      realPart = isInverse ? try subtract(realPart, cross) : try add(realPart, cross)
      imaginaryPart = try add(imaginaryPart, product(imaginary, cosines))
    }
    if isReal { return try unsqueeze(realPart, last) }
    return try concatenate([unsqueeze(realPart, last), unsqueeze(imaginaryPart, last)], axis: last)
  }

  /// `function` of the angle of each row and column, scaled as the inverse transform needs it.
  private mutating func matrix(
    _ rows: Int, _ columns: Int, _ length: Int, _ isInverse: Bool, _ isReal: Bool, _ element: ElementType,
    _ function: (Double) -> Double
  ) -> Value {
    var elements: [Scalar] = []
    for row in 0..<rows {
      // Bins between the first and the middle one stand for two.
      let share = isReal && row != 0 && 2 * row != length ? 2.0 : 1.0
      let scale = isInverse ? share / Double(length) : 1
      for column in 0..<columns {
        let angle = 2 * Double.pi * Double(row * column % length) / Double(length)
        elements.append(Scalar(scale * function(angle), element))
      }
    }
    return constant(Literal(element, [rows, columns], elements))
  }
}
