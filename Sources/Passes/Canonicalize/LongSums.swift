import IR

/// Sums over known elements that are long where weights are: those of integers and of f32, and products of f32 matrices.
///
/// The values are those of `evaluate`: a reduction rounds each sum, a product adds f64 products in order and rounds once.
struct LongSums {
  private enum Kind {
    case reduction(Reduce)
    case product(Contraction)
  }

  private let kind: Kind
  private let operands: [Literal]
  private let result: TensorType
  private let dimensions: [Int]

  init?(_ op: Op, _ operands: [Literal], _ result: TensorType) {
    guard operands.count == 2, operands.allSatisfy({ $0.elementType == result.elementType }), !operands[0].isSplat,
      let dimensions = result.fixedDimensions
    else { return nil }
    (self.operands, self.result, self.dimensions) = (operands, result, dimensions)
    switch op {
    case .reduce(let reduce) where reduce.body.foldedFunction == .add && !operands[0].dimensions.isEmpty:
      guard [.i32, .ui32, .f32].contains(result.elementType), reduce.dimensions == reduce.dimensions.sorted() else {
        return nil
      }
      kind = .reduction(reduce)
    case .dotGeneral(let dot) where result.elementType == .f32 && !operands[1].isSplat:
      let depth = dot.dimensions.lhsContracting.reduce(1) { $0 * operands[0].dimensions[$1] }
      guard depth <= Self.deepest else { return nil }
      kind = .product(dot.dimensions)
    default: return nil
    }
  }

  /// How many elements or products are added, with what each line or square takes beside.
  var steps: Int {
    let results = dimensions.reduce(1, *)
    switch kind {
    case .reduction:
      let count = operands[0].elementCount
      return count + results + Self.overhead * (count / max(1, operands[0].dimensions.last ?? 1))
    case .product(let product):
      let count = { (which: [Int]) in which.reduce(1) { $0 * operands[0].dimensions[$1] } }
      let (batch, depth) = (count(product.lhsBatching), count(product.lhsContracting))
      let rows = count(product.lhsFree(rank: operands[0].dimensions.count))
      let columns = results / max(1, batch * rows)
      let squares = batch * ((rows + Self.side - 1) / Self.side) * ((columns + Self.side - 1) / Self.side)
      return results * (depth + 1) + Self.overhead * squares
    }
  }

  /// Elements that the result has more than the operands.
  var growth: Int { max(0, dimensions.reduce(1, *) - operands.reduce(0) { $0 + $1.elementCount }) }

  /// Additions in the time that a line or a square takes before its first.
  private static let overhead = 64

  var value: Literal {
    switch kind {
    case .reduction(let reduce):
      switch result.elementType {
      case .f32: sums(along: reduce.dimensions, Float.self, +)
      default: sums(along: reduce.dimensions, UInt32.self, &+)
      }
    case .product(let product): self.product(product)
    }
  }

  /// Sums in one pass over the bytes.
  private func sums<Element: BitwiseCopyable>(
    along reduced: [Int], _: Element.Type, _ add: (Element, Element) -> Element
  ) -> Literal {
    let shape = operands[0].dimensions
    // How far a step along each dimension goes in the result.
    var (strides, count) = ([Int](repeating: 0, count: shape.count), 1)
    for dimension in shape.indices.reversed() where !reduced.contains(dimension) {
      strides[dimension] = count
      count *= shape[dimension]
    }
    let inner = shape[shape.count - 1]
    let first = operands[1].bytes.withUnsafeBytes { $0.loadUnaligned(as: Element.self) }
    let size = MemoryLayout<Element>.size
    let bytes = [UInt8](unsafeUninitializedCapacity: count * size) { target, filled in
      let sums = UnsafeMutableRawBufferPointer(target)
      for place in 0..<count { sums.storeBytes(of: first, toByteOffset: place * size, as: Element.self) }
      operands[0].bytes.withUnsafeBytes { source in
        var position = 0
        for outer in allIndices(Array(shape.dropLast())) {
          var place = zip(outer, strides).reduce(0) { $0 + $1.0 * $1.1 }
          for _ in 0..<inner {
            let sum = sums.loadUnaligned(fromByteOffset: place * size, as: Element.self)
            let element = source.loadUnaligned(fromByteOffset: position, as: Element.self)
            sums.storeBytes(of: add(sum, element), toByteOffset: place * size, as: Element.self)
            position += size
            place += strides[shape.count - 1]
          }
        }
      }
      filled = count * size
    }
    return Literal(result.elementType, dimensions, bytes: bytes)
  }

  // MARK: Products

  /// The most products of a sum: columns of so many elements are held as f64.
  private static let deepest = 1 << 16

  /// A square of the result that is summed in registers.
  private static let side = 4

  private func product(_ contraction: Contraction) -> Literal {
    let (x, y) = (operands[0], operands[1])
    let free = (contraction.lhsFree(rank: x.dimensions.count), contraction.rhsFree(rank: y.dimensions.count))
    let count = { (literal: Literal, which: [Int]) in which.reduce(1) { $0 * literal.dimensions[$1] } }
    let (rows, columns) = (count(x, free.0), count(y, free.1))
    let (batch, depth) = (count(x, contraction.lhsBatching), count(x, contraction.lhsContracting))
    // Batch, rows or columns, depth: what one element of the result reads lies side by side.
    let left = x.ordered(contraction.lhsBatching + free.0 + contraction.lhsContracting)
    let right = y.ordered(contraction.rhsBatching + free.1 + contraction.rhsContracting)
    let side = Self.side
    let bytes = [UInt8](unsafeUninitializedCapacity: batch * rows * columns * 4) { target, filled in
      let sums = UnsafeMutableRawBufferPointer(target)
      withUnsafeTemporaryAllocation(of: SIMD4<Double>.self, capacity: max(1, depth)) { panel in
        for image in 0..<batch {
          for column in stride(from: 0, to: columns, by: side) {
            right.fill(panel, line: image * columns + column, count: min(side, columns - column), depth: depth)
            for row in stride(from: 0, to: rows, by: side) {
              let height = min(side, rows - row)
              let square = left.products(line: image * rows + row, count: height, panel, depth: depth)
              for i in 0..<height {
                for j in 0..<min(side, columns - column) {
                  let place = (image * rows + row + i) * columns + column + j
                  sums.storeBytes(of: Float(square[i][j]), toByteOffset: place * 4, as: Float.self)
                }
              }
            }
          }
        }
      }
      filled = batch * rows * columns * 4
    }
    return Literal(.f32, dimensions, bytes: bytes)
  }
}

extension Literal {
  /// The literal with its dimensions in another order.
  fileprivate func ordered(_ order: [Int]) -> Literal {
    var (strides, stride) = (dimensions, 1)
    for d in dimensions.indices.reversed() { (strides[d], stride) = (stride, stride * dimensions[d]) }
    return strided(order.map { dimensions[$0] }, offset: 0, strides: order.map { strides[$0] })
  }

  /// Up to four lines of f32 from `line` on, element by element beside each other; zeros for lines that are not there.
  fileprivate func fill(_ panel: UnsafeMutableBufferPointer<SIMD4<Double>>, line: Int, count: Int, depth: Int) {
    bytes.withUnsafeBytes { source in
      for k in 0..<depth {
        var elements = SIMD4<Double>()
        for j in 0..<count {
          elements[j] = Double(source.loadUnaligned(fromByteOffset: ((line + j) * depth + k) * 4, as: Float.self))
        }
        panel[k] = elements
      }
    }
  }

  /// Sums of products of up to four lines with those of a panel.
  fileprivate func products(
    line: Int, count: Int, _ panel: UnsafeMutableBufferPointer<SIMD4<Double>>, depth: Int
  ) -> [SIMD4<Double>] {
    bytes.withUnsafeBytes { source in
      var (a, b, c, d) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
      // Lines that are not there repeat the last one; nobody reads their sums.
      let starts = (0..<4).map { (line + min($0, count - 1)) * depth * 4 }
      let (first, second, third, fourth) = (starts[0], starts[1], starts[2], starts[3])
      for k in 0..<depth {
        let elements = panel[k]
        a += Double(source.loadUnaligned(fromByteOffset: first + k * 4, as: Float.self)) * elements
        b += Double(source.loadUnaligned(fromByteOffset: second + k * 4, as: Float.self)) * elements
        c += Double(source.loadUnaligned(fromByteOffset: third + k * 4, as: Float.self)) * elements
        d += Double(source.loadUnaligned(fromByteOffset: fourth + k * 4, as: Float.self)) * elements
      }
      return [a, b, c, d]
    }
  }
}
