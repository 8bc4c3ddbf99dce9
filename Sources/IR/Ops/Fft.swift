/// The discrete Fourier transform over the last dimensions (StableHLO spec, "fft").
///
/// `%r = stablehlo.fft %x, type = RFFT, length = [8] : (tensor<3x8xf32>) -> tensor<3x5xcomplex<f32>>`
public struct Fft: OpDefinition {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case forward = "FFT"
    case inverse = "IFFT"
    case realForward = "RFFT"
    case realInverse = "IRFFT"
  }

  public var kind: Kind
  /// The extents of the transformed dimensions; of a real transform, those on the real side.
  public var lengths: [Int]
  public init(kind: Kind, lengths: [Int]) {
    self.kind = kind
    self.lengths = lengths
  }
  public var mnemonic: String { "stablehlo.fft" }
  public var op: Op { .fft(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    guard lengths.count <= x.rank else {  // (C1)
      throw OpError("fft over \(lengths.count) dimensions does not fit \(x.detailedDescription)")
    }
    guard (1...3).contains(lengths.count) else {  // (C3)
      throw OpError("fft transforms 1 to 3 dimensions, not \(lengths.count)")
    }
    let element: ElementType
    if kind == .realForward {
      guard x.elementType == .f32 || x.elementType == .f64 else {  // (C2)
        throw OpError("RFFT transforms f32 and f64, not \(x.elementType)")
      }
      element = x.elementType == .f32 ? .complex64 : .complex128
    } else {
      guard x.elementType.isComplex else {  // (C2)
        throw OpError("\(kind.rawValue) transforms complex numbers, not \(x.elementType)")
      }
      element = kind == .realInverse ? x.elementType.realPart : x.elementType
    }
    let wanted = lengths.map { Extent($0) }
    var source = wanted
    var target = wanted
    let half: Extent = lengths.last == 0 ? 0 : Extent((lengths.last ?? 0) / 2 + 1)
    if kind == .realForward { target[target.count - 1] = half }
    if kind == .realInverse { source[source.count - 1] = half }
    guard Array(x.dimensions.suffix(lengths.count)) == source else {  // (C4), (C5)
      throw OpError("\(kind.rawValue) of length \(lengths) does not fit \(x.detailedDescription)")
    }
    return [TensorType(element, x.dimensions.dropLast(lengths.count) + target)]  // (C5)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    var values = ComplexLines(x)
    let last = x.type.rank - 1
    let others = (last + 1 - lengths.count..<last).reversed()
    let isInverse = kind == .inverse || kind == .realInverse
    if isInverse { for d in others.reversed() { values.invert(d) } }
    switch kind {
    case .forward: values.transform(last, isInverse: false)
    case .inverse: values.invert(last)
    case .realForward:
      values.transform(last, isInverse: false)
      values.truncate(last, to: results[0].dimensions[last].fixed ?? 0)
    case .realInverse:
      let length = lengths[lengths.count - 1]
      // The second half is the first one's mirror image, conjugated; what must be real is taken so.
      values.mirror(last, to: length)
      values.invert(last)
    }
    if !isInverse { for d in others { values.transform(d, isInverse: false) } }
    return [values.literal(results[0].elementType)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

extension Fft {
  static let text = TextForm(
    Fft(kind: .forward, lengths: []),
    "operands `,` `type` `=` $fft_type `,` `length` `=` $fft_length attr-dict `:` functional-type",
    attributes: [
      .enumeration("fft_type", kind: "stablehlo<fft_type", \.kind), .integers("fft_length", \.lengths),
    ])
}
