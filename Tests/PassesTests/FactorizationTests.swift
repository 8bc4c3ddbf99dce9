import IR
import Passes
import Testing

/// Factorizations as expanded, against what they mean and against the matrix they are of.
@Suite struct FactorizationTests {
  private static let shapes = [
    [0, 0], [3, 0], [1, 1], [5, 5], [7, 4], [4, 7], [2, 3, 3], [2, 2, 4, 3], [70, 67],
  ]

  private func expanded(_ op: Op, _ types: [TensorType]) throws -> (before: Graph, after: Graph) {
    var graph = Graph()
    let operands = types.map { graph.addParameter($0) }
    graph.results = graph.results(of: try graph.append(op, operands))
    var after = graph
    var context = PassContext()
    try Pass.expand.apply(to: &after, &context)
    try after.verify()
    #expect(!after.nodes.contains { $0.op == op })
    return (graph, after)
  }

  private func numbers(_ element: ElementType, _ shape: [Int], seed: Int = 1, scale: Double = 1) -> Literal {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
    let values = (0..<shape.reduce(1, *)).map { _ -> Scalar in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Scalar(scale * Double(Int64(bitPattern: state) >> 40) / 4_194_304, element)
    }
    return Literal(element, shape, values)
  }

  private func expectNear(_ a: Literal, _ b: Literal, _ tolerance: Double) {
    #expect(a.type == b.type)
    let scale = a.scalars.reduce(1) { max($0, $1.realValue.magnitude) }
    #expect(zip(a.scalars, b.scalars).allSatisfy { ($0.realValue - $1.realValue).magnitude <= tolerance * scale })
  }

  private func tolerance(_ element: ElementType) -> Double { element == .f32 ? 1e-4 : 1e-11 }

  /// The products of the matrices in the last two dimensions, of which the first may be turned.
  private func product(_ a: Literal, _ b: Literal, isTransposed: Bool = false) -> [Double] {
    let (s, t) = (a.dimensions.suffix(2).map { $0 }, b.dimensions.suffix(2).map { $0 })
    let (rows, depth, columns) = (isTransposed ? s[1] : s[0], isTransposed ? s[0] : s[1], t[1])
    let (x, y) = (a.scalars.map(\.realValue), b.scalars.map(\.realValue))
    return (0..<a.dimensions.dropLast(2).reduce(1, *)).flatMap { batch in
      (0..<rows * columns).map { place in
        let (i, j) = (place / columns, place % columns)
        return (0..<depth).reduce(0) { sum, k in
          let left = isTransposed ? x[(batch * depth + k) * rows + i] : x[(batch * rows + i) * depth + k]
          return sum + left * y[(batch * depth + k) * columns + j]
        }
      }
    }
  }

  private func expectOrthonormal(_ q: Literal, _ tolerance: Double) {
    let n = q.dimensions[q.dimensions.count - 1]
    for (place, value) in product(q, q, isTransposed: true).enumerated() {
      #expect((value - (place / n % n == place % n ? 1 : 0)).magnitude <= tolerance)
    }
  }

  private func scalingColumns(_ a: Literal, _ values: Literal) -> Literal {
    let (rows, n) = (a.dimensions[a.dimensions.count - 2], a.dimensions[a.dimensions.count - 1])
    let (x, w) = (a.scalars.map(\.realValue), values.scalars.map(\.realValue))
    return Literal(
      .f64, a.dimensions, x.indices.map { Scalar.real(x[$0] * w[$0 / (rows * n) * n + $0 % n]) })
  }

  @Test(arguments: shapes, [ElementType.f32, .f64])
  func triangularFactors(_ shape: [Int], _ element: ElementType) throws {
    let (before, after) = try expanded(.luDecomposition(LUDecomposition()), [TensorType(element, fixed: shape)])
    let a = numbers(element, shape)
    let (expected, found) = (try before.evaluate([a]), try after.evaluate([a]))
    expectNear(expected[0], found[0], tolerance(element))
    #expect(expected[1].dimensions == found[1].dimensions)
    #expect(expected[1].scalars == found[1].scalars)
  }

  @Test func singularMatricesKeepTheirZeros() throws {
    let (before, after) = try expanded(.luDecomposition(LUDecomposition()), [TensorType(.f64, fixed: [3, 3])])
    let a = Literal(.f64, [3, 3], [1, 2, 3, 2, 4, 6, 0, 0, 5].map { Scalar.real($0) })
    let (expected, found) = (try before.evaluate([a]), try after.evaluate([a]))
    #expect(expected == found)
    #expect(found[0][[1, 1]] == .real(0))
  }

  @Test(arguments: shapes, [ElementType.f32, .f64])
  func reflections(_ shape: [Int], _ element: ElementType) throws {
    let type = TensorType(element, fixed: shape)
    let (before, after) = try expanded(.householderQR(HouseholderQR()), [type])
    let a = numbers(element, shape)
    let (expected, found) = (try before.evaluate([a]), try after.evaluate([a]))
    for (x, y) in zip(expected, found) { expectNear(x, y, tolerance(element)) }
    guard shape[shape.count - 2] >= shape[shape.count - 1] else { return }
    let types = [type, TensorType(element, fixed: found[1].dimensions)]
    let (products, expandedProducts) = try expanded(.householderProduct(HouseholderProduct()), types)
    let q = try expandedProducts.evaluate(found)[0]
    expectNear(try products.evaluate(found)[0], q, tolerance(element))
    expectOrthonormal(q, tolerance(element))
  }

  @Test func fewerReflectionsThanColumns() throws {
    let types = [TensorType(.f64, fixed: [2, 6, 5]), TensorType(.f64, fixed: [2, 2])]
    let (before, after) = try expanded(.householderProduct(HouseholderProduct()), types)
    let inputs = [numbers(.f64, [2, 6, 5]), numbers(.f64, [2, 2], seed: 2)]
    expectNear(try before.evaluate(inputs)[0], try after.evaluate(inputs)[0], 1e-12)
  }

  @Test(arguments: [[0, 0], [1, 1], [2, 2], [5, 5], [2, 3, 3], [20, 20]], [ElementType.f32, .f64])
  func eigenvectors(_ shape: [Int], _ element: ElementType) throws {
    let n = shape[shape.count - 1]
    let values = numbers(element, shape).scalars
    let matrices = [
      Literal(
        element, shape,
        values.indices.map { values[$0 / (n * n) * n * n + min($0 / n % n, $0 % n) * n + max($0 / n % n, $0 % n)] }),
      Literal(element, shape, values.indices.map { Scalar($0 / n % n == $0 % n ? 1 : 0, element) }),
      Literal(element, shape, splat: Scalar(0, element)), Literal(element, shape, splat: Scalar(3, element)),
    ]
    let (before, after) = try expanded(.symmetricEigen(SymmetricEigen()), [TensorType(element, fixed: shape)])
    for a in matrices {
      let (expected, found) = (try before.evaluate([a]), try after.evaluate([a]))
      expectNear(expected[1], found[1], tolerance(element))
      for result in [expected, found] {
        expectOrthonormal(result[0], tolerance(element))
        let right = scalingColumns(result[0], result[1]).scalars.map(\.realValue)
        let scale = Double(10 * n)
        #expect(zip(product(a, result[0]), right).allSatisfy { ($0 - $1).magnitude <= scale * tolerance(element) })
      }
    }
  }

  @Test(
    arguments: [[0, 0], [3, 0], [1, 1], [5, 5], [7, 4], [4, 7], [2, 3, 3], [12, 12]], [ElementType.f32, .f64])
  func singularValues(_ shape: [Int], _ element: ElementType) throws {
    for full in [false, true] { try expectSingularValues(shape, element, full) }
  }

  private func expectSingularValues(_ shape: [Int], _ element: ElementType, _ full: Bool) throws {
    let (before, after) = try expanded(
      .singularValues(SingularValues(full: full)), [TensorType(element, fixed: shape)])
    for a in [
      numbers(element, shape), Literal(element, shape, splat: Scalar(0, element)),
      Literal(element, shape, splat: Scalar(2, element)),
    ] {
      let (expected, found) = (try before.evaluate([a]), try after.evaluate([a]))
      expectNear(expected[1], found[1], tolerance(element))
      for result in [expected, found] {
        expectOrthonormal(result[0], tolerance(element))
        let k = result[1].dimensions.last ?? 0
        let (m, n) = (shape[shape.count - 2], shape[shape.count - 1])
        let batch = Array(shape.dropLast(2))
        let u = first(result[0], columns: k, batch + [m, k])
        let vt = Literal(.f64, batch + [k, n], rows(result[2], k))
        let again = product(scalingColumns(u, result[1]), vt)
        #expect(zip(a.scalars, again).allSatisfy { ($0.realValue - $1).magnitude <= 100 * tolerance(element) })
      }
    }
  }

  private func first(_ a: Literal, columns k: Int, _ shape: [Int]) -> Literal {
    let n = a.dimensions[a.dimensions.count - 1]
    return Literal(.f64, shape, a.scalars.enumerated().filter { $0.offset % n < k }.map { .real($0.element.realValue) })
  }

  private func rows(_ a: Literal, _ k: Int) -> [Scalar] {
    let (m, n) = (a.dimensions[a.dimensions.count - 2], a.dimensions[a.dimensions.count - 1])
    return a.scalars.enumerated().filter { $0.offset / n % m < k }.map { .real($0.element.realValue) }
  }

  @Test func numbersThatAreNoneEnd() throws {
    let nan = Literal(.f32, [4, 4], splat: .real(.nan))
    let type = TensorType(.f32, fixed: [4, 4])
    for op in [
      Op.luDecomposition(LUDecomposition()), .householderQR(HouseholderQR()), .symmetricEigen(SymmetricEigen()),
      .singularValues(SingularValues()),
    ] {
      let (before, after) = try expanded(op, [type])
      let (expected, found) = (try before.evaluate([nan]), try after.evaluate([nan]))
      #expect(expected[0][0].realValue.isNaN && found[0][0].realValue.isNaN)
    }
  }

  /// However large matrices are, they have few panels, and so does what is solved for a panel.
  @Test func largeMatricesHaveFewPanels() throws {
    func count(_ op: Op, _ extent: Int) throws -> Int {
      try expanded(op, [TensorType(.f32, fixed: [extent, extent])]).1.nodes.count
    }
    let cholesky = Op.cholesky(Cholesky(lower: true))
    #expect(try count(cholesky, 1 << 15) <= count(cholesky, 2048))
    #expect(try count(.luDecomposition(LUDecomposition()), 1 << 15) < 16 * 32 * 32)
  }

  @Test func openExtentsOfMatricesAreRefused() {
    let open = TensorType(.f32, [2, .symbol("n"), 3])
    for op in [Op.luDecomposition(LUDecomposition()), .singularValues(SingularValues())] {
      #expect(throws: OpError.self) { try op.inferTypes([open]) }
    }
  }

  @Test func openBatchesAreFactored() throws {
    let type = TensorType(.f64, [.symbol("b"), 3, 3])
    let (before, after) = try expanded(.luDecomposition(LUDecomposition()), [type])
    let a = numbers(.f64, [2, 3, 3])
    expectNear(try before.evaluate([a])[0], try after.evaluate([a])[0], 1e-12)
  }
}
