import GraphBuilding
import IR

/// Random numbers that a seed decides: the counter-based generator ThreeFry (Salmon et al., "Parallel random numbers: as
/// easy as 1, 2, 3"), whose state is a tensor, so that graphs draw numbers too.
@TensorGroup
public struct RandomGenerator: Sendable {
  /// The key and the counter.
  public var state: Tensor<UInt64>

  public init(seed: UInt64) { state = Tensor([seed, 0]) }

  /// Numbers spread evenly over a range, the upper bound excluded.
  public mutating func uniform<Scalar: TensorFloat>(_ shape: [TensorDimension], in range: Range<Scalar> = 0..<1)
    -> Tensor<
      Scalar
    >
  {
    let drawn: Tensor<Scalar> = fractions(shape) * (range.upperBound - range.lowerBound) + range.lowerBound
    return min(drawn, range.upperBound.nextDown)
  }

  /// Numbers of a normal distribution.
  public mutating func normal<Scalar: TensorFloat>(
    _ shape: [TensorDimension], mean: Scalar = 0, deviation: Scalar = 1
  ) -> Tensor<Scalar> {
    let places: Tensor<Scalar> = fractions(shape) * 2 - 1
    let drawn: Tensor<Scalar> = max(places, Scalar(-1).nextUp).map { (g, x) throws(OpError) in
      try g.multiply(g.map(.inverseErrorFunction, x), 2.0.squareRoot())
    }
    return drawn * deviation + mean
  }

  /// True with the given probability.
  public mutating func bernoulli(_ shape: [TensorDimension], probability: Float) -> Tensor<Bool> {
    let fractions: Tensor<Float> = fractions(shape)
    return fractions .< probability
  }

  /// Multiples of the type's precision from 0 to before 1.
  private mutating func fractions<Scalar: TensorFloat>(_ shape: [TensorDimension]) -> Tensor<Scalar> {
    let element = Scalar.elementType
    let drawn = results(of: [state.storage]) { (g, values) throws(OpError) in
      let isWide = element == .f64
      let word: ElementType = isWide ? .ui64 : .ui32
      let precision = element == .f16 ? 11 : isWide ? 53 : 24
      let generator = RngBitGenerator(algorithm: .threeFry, resultType: TensorType(word, shape.map(\.extent)))
      let drawn = try g.emitAll(.rngBitGenerator(generator), values)
      let shift = g.scalar(.integer(Int64(word.bitWidth - precision)), word)
      let high = try g.map(.shiftRightLogical, drawn[1], shift)
      let scale = 1 / Double(1 << precision)
      let fraction =
        element == .f16
        ? try g.convert(g.multiply(g.convert(high, .f32), scale), .f16)
        : try g.multiply(g.convert(high, element), scale)
      return [drawn[0], fraction]
    }
    state = Tensor(drawn[0])
    return Tensor(drawn[1])
  }
}
