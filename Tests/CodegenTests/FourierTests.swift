import IR
import Testing

@testable import Codegen

/// Transforms of lines against sums of products with roots of unity.
@Suite struct FourierTests {
  private func lines(
    _ element: ElementType, _ dimensions: [Extent], along dimension: Int, isInverse: Bool = false
  ) throws -> ScheduleCase {
    try ScheduleCase([TensorType(element, dimensions)]) { g, x in
      [try g.append(.fourierTransform(FourierTransform(dimension: dimension, isInverse: isInverse)), x)]
    }
  }

  /// Every way to cut a length: powers of two that end in one, two, three and four bits, odd primes alone and with them.
  @Test(arguments: [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 27, 30, 32, 49, 60, 64, 72, 80, 96, 100, 104, 128, 144, 169, 200,
    240, 243, 256, 308, 360, 512,
  ]) func lengths(_ length: Int) throws {
    for element in [ElementType.complex64, .complex128] {
      let tolerance = element == .complex64 ? 3e-6 : 1e-13
      let n = Extent(length)
      // Behind each other, side by side, alone, and few or many side by side between others.
      let shapes: [([Extent], Int)] = [([3, n], 1), ([n, 17], 0), ([n], 0), ([2, n, 3], 1), ([n, 1, 40], 0)]
      let count = element == .complex128 ? 2 : length <= 100 ? 5 : 3
      for (shape, dimension) in shapes.prefix(count) {
        let isInverse = (length + dimension) % 2 == 0
        try lines(element, shape, along: dimension, isInverse: isInverse).check(.lines, tolerance: tolerance)
      }
    }
  }

  @Test(arguments: ["x86-64-v2", "x86-64-v3"]) func lengthsOfNarrowVectors(_ cpu: String) throws {
    for length in [12, 64, 96, 100, 256] {
      let n = Extent(length)
      try lines(.complex64, [3, n], along: 1).check(.lines, tolerance: 3e-6, cpu: cpu)
      try lines(.complex64, [n, 11], along: 0, isInverse: true).check(.lines, tolerance: 3e-6, cpu: cpu)
    }
  }

  /// As many lines as a call says, none of them too, before the lines and behind.
  @Test(arguments: [0, 1, 3, 16, 33]) func openCounts(_ count: Int) throws {
    let shapes: [([Extent], Int)] = [
      ([.symbol("n"), 96], 1), ([24, .symbol("n")], 0), ([2, 24, .symbol("n"), 3], 1),
    ]
    for (shape, dimension) in shapes {
      var open = try lines(.complex64, shape, along: dimension)
      open.symbols = [Symbol("n"): count]
      try open.check(.lines, tolerance: 3e-6)
    }
  }

  /// Of real numbers, some of them read backwards and others padded; squared magnitudes are stored in place of numbers.
  @Test(arguments: [0, 1]) func withWhatIsReadAndWhatFollows(_ dimension: Int) throws {
    let type = TensorType(.f32, [96, 80])
    try ScheduleCase([type, TensorType(.f32, [90, 70])]) { g, x in
      let reversed = try g.append(.reverse(Reverse(dimensions: [dimension])), [x[0]])
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let padded = try g.append(.pad(Pad(low: [2, 0], high: [4, 10], interior: [0, 0])), [x[1], zero])
      let z = try g.append(.pointwise(.complex), [reversed, padded])
      let transform = FourierTransform(dimension: dimension, isInverse: false)
      let lines = try g.append(.fourierTransform(transform), [z])
      let parts = try [ScalarFunction.real, .imaginary].map { try g.append(.pointwise($0), [lines]) }
      let squares = try parts.map { try g.append(.pointwise(.multiply), [$0, $0]) }
      return [try g.append(.pointwise(.add), squares)]
    }.check(.lines, tolerance: 1e-5)
  }

  /// What follows needs elements at other places than their own.
  @Test func turnedAfterwards() throws {
    try ScheduleCase([TensorType(.complex64, [33, 64])]) { g, x in
      let transform = FourierTransform(dimension: 1, isInverse: false)
      let lines = try g.append(.fourierTransform(transform), [x[0]])
      return [try g.append(.transpose(Transpose(permutation: [1, 0])), [lines])]
    }.check(.lines, tolerance: 3e-6)
  }

  // MARK: Complex elements in loops

  /// Vectors of complex numbers, read forwards, backwards and spread, in lines that are no multiple of them.
  @Test(arguments: [ElementType.complex64, .complex128], [1, 7, 16, 37]) func loops(_ element: ElementType, _ n: Int)
    throws
  {
    let type = TensorType(element, [3, Extent(n)])
    try ScheduleCase([type, type, TensorType(element, [Extent(n)])]) { g, x in
      let reversed = try g.append(.reverse(Reverse(dimensions: [1])), [x[1]])
      let row = BroadcastInDim(dimensions: [1], resultDimensions: type.dimensions)
      let spread = try g.append(.broadcastInDim(row), [x[2]])
      let product = try g.append(.pointwise(.multiply), [x[0], reversed])
      let quotient = try g.append(.pointwise(.divide), [product, spread])
      return [quotient, try g.append(.pointwise(.abs), [product])]
    }.check(.loop, tolerance: element == .complex64 ? 1e-5 : 1e-12)
  }

  @Test(arguments: [ElementType.complex64, .complex128]) func foldsAndTransposes(_ element: ElementType) throws {
    let type = TensorType(element, [37, 41])
    try ScheduleCase([type]) { g, x in
      [try g.append(.transpose(Transpose(permutation: [1, 0])), [x[0]])]
    }.check(.loop)
    for dimension in [0, 1] {
      try ScheduleCase([type]) { g, x in
        let zero = try g.append(.constant(.scalar(.complex(0, 0), element)))
        let sum = Reduce(dimensions: [dimension], body: try sumBody(.add, element))
        return [try g.append(.reduce(sum), [x[0], zero])]
      }.check(.reduction)
    }
  }

  /// Parts of complex numbers, and other operands, side by side along a new innermost dimension.
  @Test(arguments: [1, 16, 50, 1000]) func joinedElementByElement(_ n: Int) throws {
    let extents: [Extent] = [Extent(n), 1]
    try ScheduleCase([TensorType(.complex64, [Extent(n)]), f32(Extent(n))]) { g, x in
      let parts = try [ScalarFunction.real, .imaginary].map { try g.append(.pointwise($0), [x[0]]) } + [x[1]]
      let columns = try parts.map { try g.append(.reshape(Reshape(resultDimensions: extents)), [$0]) }
      return [try g.append(.concatenate(Concatenate(dimension: 1)), columns)]
    }.check(.loop)
  }

  /// A long line of pieces, whose tasks begin and end in them or at their borders.
  @Test func longLinesOfPieces() throws {
    try ScheduleCase([f32(3000), f32(1024), f32(1)]) { g, x in
      let reversed = try g.append(.reverse(Reverse(dimensions: [0])), [x[0]])
      return [try g.append(.concatenate(Concatenate(dimension: 0)), [x[1], reversed, x[2], x[0]])]
    }.check(.loop)
  }
}
