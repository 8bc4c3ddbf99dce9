import IR

/// A range cut into vectors: several at once as long as they last, then one at a time, then a masked rest.
///
/// Several vectors at once are one register of as many lanes. Their operations do not wait for each other, which hides
/// the latency of long formulas, and folds have as many independent parts.
struct VectorStrips {
  struct Strip {
    var lanes: Int
    var lower: IntegerExpression
    var upper: IntegerExpression
    /// Whether it is less than a vector.
    var isMasked = false
  }

  /// The widest first. Each has at least one vector, unless an extent decides at run time.
  private(set) var strips: [Strip] = []

  init(from lower: IntegerExpression = .zero, to upper: IntegerExpression, lanes: Int, atOnce: Int) {
    let count = upper - lower
    var start = lower
    for vectors in Self.widths(count, lanes, atOnce) {
      let width = lanes * vectors
      let end = lower + count.floorDivided(by: IntegerExpression(width)) * width
      if end != start { strips.append(Strip(lanes: width, lower: start, upper: end)) }
      start = end
    }
    if start != upper { strips.append(Strip(lanes: lanes, lower: start, upper: upper, isMasked: true)) }
  }

  private static func widths(_ count: IntegerExpression, _ lanes: Int, _ atOnce: Int) -> [Int] {
    var vectors = atOnce
    while let fixed = count.fixed, vectors > 1, vectors * lanes > fixed { vectors /= 2 }
    return vectors > 1 ? [vectors, 1] : [1]
  }

  /// Loops over the range; `body` gets a position, how many lanes lie there, and which of them are inside.
  func loop(
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, bound: IntegerExpression? = nil,
    _ body: (inout ElementLowering, inout KernelBuilder, IntegerExpression, Int, Register?) -> Void
  ) {
    for strip in strips {
      b.loop(from: strip.lower, to: strip.upper, step: strip.lanes) { b, variable, _ in
        b.setBound(strip.bound(ofPosition: bound), of: variable)
        let mask = strip.mask(at: variable, &b)
        lowering.withLanes(strip.lanes, used: strip.usedLanes, &b) { body(&$0, &$1, variable, strip.lanes, mask) }
        return []
      }
    }
  }
}

extension VectorStrips.Strip {
  /// How many lanes count.
  var usedLanes: Int {
    guard isMasked, let rest = (upper - lower).fixed else { return lanes }
    return max(1, min(rest, lanes))
  }

  /// The exclusive bound of the first lanes' positions, where all positions have one.
  fileprivate func bound(ofPosition bound: IntegerExpression?) -> IntegerExpression? {
    if bound == nil || isMasked || !upper.isFixed { return bound }
    return upper - (lanes - 1)
  }

  /// Which lanes at `position` lie inside; nil where all do.
  func mask(at position: IntegerExpression, _ b: inout KernelBuilder) -> Register? {
    guard isMasked else { return nil }
    if b.target.workGroups == nil, let rest = (upper - lower).fixed, rest < lanes {
      // The same in all rows, and known.
      let numbers = b.materialize(.lane, lanes: lanes)
      return b.apply(.compare(.less, .signed), [numbers, b.constant(.integer(Int64(rest)), .i64)])
    }
    let positions = b.convert(b.materialize(position + .lane, lanes: lanes), to: .i64)
    return b.apply(.compare(.less, .signed), [positions, b.materialize(upper, lanes: 1)])
  }
}

extension KernelBuilder {
  /// Sets the bound of a loop's variable, where there is one.
  fileprivate mutating func setBound(_ bound: IntegerExpression?, of variable: IntegerExpression) {
    guard let bound, case .variable(let number)? = variable.atom else { return }
    setBound(bound, ofVariable: number)
  }

  /// Writes what `body` does where vectors have `count` lanes that count.
  mutating func withLanes<Result>(_ count: Int, _ body: (inout KernelBuilder) -> Result) -> Result {
    let outside = bounds[-1]
    setBound(Extent(count), ofVariable: -1)
    defer { setBound(outside, ofVariable: -1) }
    return body(&self)
  }

  /// The halves of a vector combined with an associative function until `lanes` are left.
  mutating func narrowed(_ register: Register, to lanes: Int, _ function: ScalarFunction) -> Register {
    var parts = register
    while self.lanes(of: parts) > lanes {
      let (element, half) = (type(of: parts).element, self.lanes(of: parts) / 2)
      let lower = define(RegisterType(element, lanes: half), .shuffle(parts, parts, Array(0..<half)))
      let upper = define(RegisterType(element, lanes: half), .shuffle(parts, parts, Array(half..<2 * half)))
      parts = apply(function, [lower, upper])
    }
    return parts
  }
}
