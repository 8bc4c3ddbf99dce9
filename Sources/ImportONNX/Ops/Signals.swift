import Foundation
import GraphBuilding
import IR

extension Operator {
  /// Fourier transforms, and what is used with them.
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
    guard length > 0, let count = x.shape[axis].fixed, let parts = x.shape[x.rank - 1].fixed, parts == 1 || parts == 2
    else {
      throw .unsupported("a transform of \(length) elements of \(x.type.detailedDescription)")
    }
    let isReal = isInverse && isOneSided
    let needed = isReal ? length / 2 + 1 : length
    let last = x.rank - 1
    // Narrower floats have no transform of their own.
    let wide = try convert(x, x.element == .f64 ? .f64 : .f32)
    let zero = scalar(0.0, wide.element)
    let head = try pad(
      slice(wide, axis: axis, 0, Extent(min(count, needed))), axis: axis, zero, low: 0,
      high: Extent(max(0, needed - count)))
    let real = try squeeze(slice(head, axis: last, 0, 1), last)
    let imaginary = parts == 2 ? try squeeze(slice(head, axis: last, 1, 2), last) : nil
    let order = (0..<last).filter { $0 != axis } + [axis]
    func transform(_ kind: Fft.Kind, _ z: Value) throws(OpError) -> Value {
      let turned = try emit(.fft(Fft(kind: kind, lengths: [length])), [transpose(z, order)])
      var back = Array(0..<last - 1)
      back.insert(last - 1, at: axis)
      return try transpose(turned, back)
    }
    var result: Value
    if imaginary == nil, !isInverse {
      result = try transform(.realForward, real)
      let images = (length - 1) / 2
      if !isOneSided, images > 0 {
        // The other bins are the first ones' mirror images, conjugated.
        let bins = try emit(.reverse(Reverse(dimensions: [axis])), [slice(result, axis: axis, 1, Extent(images + 1))])
        let mirror = try map(.complex, map(.real, bins), map(.negate, map(.imaginary, bins)))
        result = try concatenate([result, mirror], axis: axis)
      }
    } else {
      let none = try broadcast(zero, to: real.shape)
      let z = try map(.complex, real, imaginary ?? none)
      result = try transform(isReal ? .realInverse : isInverse ? .inverse : .forward, z)
      if isOneSided, !isInverse { result = try slice(result, axis: axis, 0, Extent(length / 2 + 1)) }
    }
    if isReal { return try convert(unsqueeze(result, last), x.element) }
    func column(_ part: ScalarFunction) throws(OpError) -> Value {
      try unsqueeze(convert(map(part, result), x.element), last)
    }
    return try concatenate([column(.real), column(.imaginary)], axis: last)
  }
}
