/// The discrete Fourier transform of each line along one dimension, in either direction not divided by the length; what
/// `stablehlo.fft` becomes where there is a kernel for it.
///
/// `%r = "tfc.fourier_transform"(%x) {dimension = 0 : i64, is_inverse = false} : (tensor<8x3xcomplex<f32>>) -> tensor<8x3xcomplex<f32>>`
public struct FourierTransform: OpDefinition {
  public var dimension: Int
  public var isInverse: Bool

  public init(dimension: Int, isInverse: Bool) {
    self.dimension = dimension
    self.isInverse = isInverse
  }

  public var mnemonic: String { "tfc.fourier_transform" }
  public var op: Op { .fourierTransform(self) }

  /// The largest prime factor that a length may have.
  public static let largestFactor = 13

  /// The prime factors of a length, ascending; nil where one is too large for a kernel.
  public static func primeFactors(of length: Int) -> [Int]? {
    var (rest, factors, divisor) = (length, [Int](), 2)
    guard length > 0 else { return nil }
    while rest > 1 {
      if rest % divisor == 0 {
        factors.append(divisor)
        rest /= divisor
      } else {
        divisor += 1
        if divisor > largestFactor { return nil }
      }
    }
    return factors
  }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    guard x.elementType.isComplex else { throw OpError("\(mnemonic) transforms complex numbers, not \(x.elementType)") }
    guard x.dimensions.indices.contains(dimension), let length = x.dimensions[dimension].fixed,
      Self.primeFactors(of: length) != nil
    else {
      throw OpError("\(mnemonic) along dimension \(dimension) does not fit \(x.detailedDescription)")
    }
    return [x]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    var lines = ComplexLines(operands[0])
    lines.transform(dimension, isInverse: isInverse)
    return [lines.literal(results[0].elementType)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .lines }
}

extension FourierTransform {
  static let text = TextForm("tfc.fourier_transform", nil) { (reader) throws(OpError) in
    let dimension = try reader.integer("dimension", default: -1)
    let isInverse = try reader.boolean("is_inverse", default: false)
    return .fourierTransform(FourierTransform(dimension: dimension, isInverse: isInverse))
  } write: { op, writer in
    guard case .fourierTransform(let transform) = op else { return }
    writer.set("dimension", .integer(Int64(transform.dimension)))
    writer.set("is_inverse", .boolean(transform.isInverse))
  }
}
