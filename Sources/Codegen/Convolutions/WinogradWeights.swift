import IR

/// A convolution's weights as its products at points read them, G g Gᵀ: computed in each run, so that a library holds no more
/// than the weights themselves. `pays` counts what that takes: little for large images, a tenth of the products for 14 × 14 pixels.
extension WinogradConvolution {
  /// Input features of a task.
  private static let taskFeatures = 32

  private var featureBlockCount: Int { (features + Self.taskFeatures - 1) / Self.taskFeatures }

  /// By panel, point, input feature and column.
  var transformedType: TensorType { TensorType(.f32, fixed: [panelCount, Self.pointCount, features, width]) }

  /// Whether a panel's weights must be multiplied as they are, by some of its features; for weights that only a run knows.
  var weightMarksType: TensorType { TensorType(.i32, fixed: [panelCount, featureBlockCount]) }

  /// Whether constant weights may be transformed; nil where they are not constant.
  var hasUsualWeights: Bool? {
    guard case .parameter(let parameter) = product.request.body[product.kernel].op,
      let literal = product.request.constants[parameter.index]
    else { return nil }
    return literal.isSplat ? false : literal.hasMagnitudes(Self.weightExponents)
  }

  func transformWeights(
    _ panels: ScheduledFusion.Argument, into transformed: ScheduledFusion.Argument, marks: ScheduledFusion.Argument?
  ) -> ScheduledFusion.Launch {
    let request = product.request
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    let source = b.addBuffer("panels", .f32, isWritten: false)
    let destination = b.addBuffer("weights", .f32, isWritten: true)
    let marked = marks.map { _ in b.addBuffer("marks", .i32, isWritten: true) }
    let taskExtents = [Extent(panelCount), Extent(featureBlockCount)]
    let taskCount = Extent(panelCount * featureBlockCount)
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: taskExtents)
    let (panel, firstFeature) = (numbers[0], numbers[1] * Self.taskFeatures)
    let end = b.position(.minimum(firstFeature + Self.taskFeatures, Extent(features)), in: Extent(features + 1))
    let row = { (part: Int) in part * features * width }
    let (from, to) = (b.position(panel * row(Self.taps * Self.taps)), b.position(panel * row(Self.pointCount)))
    let zero = b.constant(.zero(.i32), .i32, lanes: lanes)
    let largest = b.loop(from: firstFeature, to: end, carrying: [zero]) { b, feature, largest in
      if case .variable(let number)? = feature.atom { b.setBound(Extent(features), ofVariable: number) }
      var largest = largest[0]
      for v in 0..<vectors {
        let column = feature * width + IntegerExpression(v * lanes) + .lane
        // By column of the window, transformed along it.
        let columns = (0..<Self.taps).map { j in
          let weights = (0..<Self.taps).map { i in
            b.load(source, at: from + column + IntegerExpression(row(tap(i, j))), lanes: lanes)
          }
          if marked != nil {
            for weight in weights { largest = b.apply(.maximum, [largest, b.magnitudeBits(weight)]) }
          }
          return Self.weightTransform(weights, &b)
        }
        for i in 0..<Self.patch {
          for (j, value) in Self.weightTransform(columns.map { $0[i] }, &b).enumerated() {
            let point = i * Self.patch + j
            b.store(value, destination, at: to + column + IntegerExpression(row(point)), lanes: lanes)
          }
        }
      }
      return [largest]
    }
    if let marked {
      let mark = b.formula([b.fold(.maximum, largest[0])]) { x in
        let exponent = x[0].shiftedRightLogically(23)
        let isUsual =
          (exponent .> Self.weightExponents.lowerBound + Self.bias - 1)
          .& (exponent .< Self.weightExponents.upperBound + Self.bias + 1)
        return select(isUsual, x[0].constant(0), select(x[0] .< 1, x[0].constant(0), x[0].constant(1)))
      }
      b.store(mark, marked, at: .task, lanes: 1)
    }
    let cost = Self.taskFeatures * vectors * (Self.taps * Self.taps + 3 * Self.pointCount)
    let kernel = b.kernel(
      name: "\(request.name)_winograd_weights", sources: request.sources, taskCount: taskCount, taskCost: Extent(cost))
    return ScheduledFusion.Launch(kernel, [panels, transformed] + (marks.map { [$0] } ?? []))
  }

  /// Where a tap lies in a panel.
  private func tap(_ row: Int, _ column: Int) -> Int {
    zip(product.windows, [row, column]).reduce(0) { place, tap in
      place * Self.taps + (tap.0.isReversed ? Self.taps - 1 - tap.1 : tap.1)
    }
  }

  /// Whether some of a task's weights must not be transformed.
  func isMarked(
    _ marks: Memory, fromPanel first: IntegerExpression, to last: IntegerExpression, _ b: inout KernelBuilder
  ) -> Register {
    let count = featureBlockCount
    return b.loop(from: first * count, to: last * count, carrying: [b.constant(.zero(.i32), .i32)]) {
      b, place, marked in
      [b.apply(.or, [marked[0], b.load(marks, at: place, lanes: 1)])]
    }[0]
  }

  /// G g.
  private static func weightTransform(_ g: [Register], _ b: inout KernelBuilder) -> [Register] {
    let half = b.constant(.real(0.5), .f32, lanes: b.lanes(of: g[0]))
    let ends = b.apply(.add, [g[0], g[2]])
    let (sum, difference) = (b.apply(.add, [ends, g[1]]), b.apply(.subtract, [ends, g[1]]))
    return [g[0], b.apply(.multiply, [sum, half]), b.apply(.multiply, [difference, half]), g[2]]
  }
}

extension Literal {
  /// Whether all elements are finite, and the largest magnitude is zero or its power of two one of `exponents`.
  fileprivate func hasMagnitudes(_ exponents: ClosedRange<Int>) -> Bool {
    guard elementType == .f32 else { return false }
    return withFloats { elements in
      var largest = Float(0)
      for element in elements {
        // A NaN is not below, and stays.
        if !(element.magnitude <= largest) { largest = element.magnitude }
        if !largest.isFinite { return false }
      }
      return largest == 0 || exponents.contains(Int(largest.exponent))
    }
  }
}
