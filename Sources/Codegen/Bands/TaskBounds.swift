import IR

/// What is known of integers in a kernel while the number of the task varies: straight lines that they lie between.
///
/// Where a kernel takes its tasks apart, into those of an image and the number of the image say, lines are over both. Whatever
/// does not fit is left out, so that less is known; what is said holds.
struct TaskBounds {
  /// How far a line rises from one task of a group to the next, and from one group to the next.
  struct Slope: Hashable {
    var task: Ratio
    var group: Ratio

    static let zero = Slope(task: .zero, group: .zero)
  }

  struct Line: Hashable {
    var slope: Slope
    var offset: Ratio

    static func constant(_ value: Int) -> Line { Line(slope: .zero, offset: Ratio(value)) }

    func adding(_ other: Line) -> Line? {
      guard let task = slope.task.adding(other.slope.task), let group = slope.group.adding(other.slope.group),
        let offset = offset.adding(other.offset)
      else { return nil }
      return Line(slope: Slope(task: task, group: group), offset: offset)
    }

    func times(_ factor: Ratio) -> Line? {
      guard let task = slope.task.times(factor), let group = slope.group.times(factor),
        let offset = offset.times(factor)
      else { return nil }
      return Line(slope: Slope(task: task, group: group), offset: offset)
    }
  }

  /// An integer is at least each of the lower lines and at most each of the upper ones; of one slope there is one each.
  struct Range: Hashable {
    var lower: [Line] = []
    var upper: [Line] = []

    static let unknown = Range()

    static func constants(_ least: Int, _ most: Int) -> Range {
      Range(lower: [.constant(least)], upper: [.constant(most)])
    }

    func adding(_ other: Range) -> Range {
      Range(
        lower: Self.sums(lower, other.lower, max), upper: Self.sums(upper, other.upper, min))
    }

    func times(_ factor: Int) -> Range {
      let (first, second) = factor < 0 ? (upper, lower) : (lower, upper)
      return Range(
        lower: first.compactMap { $0.times(Ratio(factor)) }, upper: second.compactMap { $0.times(Ratio(factor)) })
    }

    private static func sums(_ a: [Line], _ b: [Line], _ better: (Ratio, Ratio) -> Ratio) -> [Line] {
      tightest(a.flatMap { line in b.compactMap { line.adding($0) } }, better)
    }

    /// Of lines with one slope the one that says most.
    static func tightest(_ lines: [Line], _ better: (Ratio, Ratio) -> Ratio) -> [Line] {
      var best: [Line] = []
      for line in lines {
        if let known = best.firstIndex(where: { $0.slope == line.slope }) {
          best[known].offset = better(best[known].offset, line.offset)
        } else if best.count < mostLines {
          best.append(line)
        }
      }
      return best
    }

    private static let mostLines = 4
  }

  /// Numbers of tasks in their group, the last one where it is known.
  struct Tasks {
    var first = 0
    var last: Int?

    var isEmpty: Bool { last.map { $0 < first } ?? false }

    /// What the lines say at least of an integer less a line through zero, and at most.
    func lower(_ lines: [Line], slope: Slope) -> Ratio? { lines.compactMap { least($0, slope) }.max() }
    func upper(_ lines: [Line], slope: Slope) -> Ratio? { lines.compactMap { most($0, slope) }.min() }

    private func least(_ line: Line, _ slope: Slope) -> Ratio? {
      line.slope.group < slope.group ? nil : value(line, slope, atTask: line.slope.task < slope.task ? last : first)
    }

    private func most(_ line: Line, _ slope: Slope) -> Ratio? {
      line.slope.group > slope.group ? nil : value(line, slope, atTask: line.slope.task > slope.task ? last : first)
    }

    /// In the first group.
    private func value(_ line: Line, _ slope: Slope, atTask task: Int?) -> Ratio? {
      guard let rest = line.slope.task.adding(slope.task.negated) else { return nil }
      if rest == .zero { return line.offset }
      return task.flatMap { rest.times(Ratio($0))?.adding(line.offset) }
    }
  }

  var variables: [Int: Range]
  /// The tasks in which the statements that are looked at run.
  var tasks: Tasks
  private let taskCount: Extent
  /// The tasks of a group; nil where all are one group.
  let groupSize: Int?
  /// What stands for the number of the group, and for the task's number in it.
  private static let (groupVariable, memberVariable) = (Int.min, Int.min + 1)

  init(taskCount: Extent, groupSize: Int?) {
    (self.taskCount, self.groupSize) = (taskCount, groupSize)
    tasks = Tasks(last: (groupSize ?? taskCount.fixed).map { $0 - 1 })
    let task = Line(slope: Slope(task: Ratio(1), group: .zero), offset: .zero)
    let group = Line(slope: Slope(task: .zero, group: Ratio(1)), offset: .zero)
    variables = [
      Self.memberVariable: Range(lower: [task], upper: [task]),
      Self.groupVariable: Range(lower: [group], upper: [group]),
    ]
  }

  /// The line that rises alike from each task to the next, where one has this slope.
  func slope(_ perTask: Ratio) -> Slope? {
    guard let groupSize else { return Slope(task: perTask, group: .zero) }
    return perTask.times(Ratio(groupSize)).map { Slope(task: perTask, group: $0) }
  }

  /// How far a line with this slope rises with a task, in the mean of many.
  func perTask(_ slope: Slope) -> Ratio? {
    groupSize.map { size in Ratio(1, Int128(size)).flatMap { slope.group.times($0) } } ?? slope.task
  }

  /// Says how many lanes the expressions that are asked for next have.
  mutating func setLanes(_ count: Int) { variables[-1] = .constants(0, count - 1) }

  /// Goes on to a loop's body, which runs in some tasks only where the loop is empty in others.
  mutating func enter(_ loop: Loop) {
    let isWhole = (loop.upper - loop.lower).isMultiple(of: loop.step)
    var last = loop.upper - (isWhole ? loop.step : 1)
    if let lower = loop.lower.fixed, let upper = loop.upper.fixed, upper > lower {
      last = Extent(lower + (upper - 1 - lower) / loop.step * loop.step)
    }
    let range = Range(lower: range(of: loop.lower).lower, upper: range(of: last).upper)
    variables[loop.variable] = range
    // The variable is at least `lower`, and so is the other line.
    for lower in range.lower { for upper in range.upper { narrow(lower, upper) } }
  }

  /// Leaves out the tasks at both ends in which the first line lies above the second.
  private mutating func narrow(_ lower: Line, _ upper: Line) {
    guard upper.slope.group == lower.slope.group, let slope = upper.slope.task.adding(lower.slope.task.negated),
      let offset = upper.offset.adding(lower.offset.negated), let inverse = slope.inverted,
      let bound = offset.negated.times(inverse)
    else { return }
    if slope > .zero {
      tasks.first = max(tasks.first, bound.ceiling)
    } else {
      tasks.last = min(tasks.last ?? .max, bound.floor)
    }
  }

  func range(of expression: IntegerExpression) -> Range {
    var sum = Range.constants(0, 0)
    let flat = withoutRemainders(expression)
    for term in flat.terms {
      guard term.factors.count == 1 else { return .unknown }
      sum = sum.adding(range(of: term.factors[0]).times(term.coefficient))
    }
    return sum.adding(.constants(flat.constant, flat.constant))
  }

  /// The expression with `x` for `mod(x, d)` where they are the same, and else `x - d * floordiv(x, d)`, so that quotients of
  /// one kind meet.
  private func withoutRemainders(_ expression: IntegerExpression) -> IntegerExpression {
    let small = inGroups(expression).substituting { atom in
      guard case .modulo(let x, let divisor) = atom else { return nil }
      if let groupSize, x == .variable(Self.groupVariable), divisor * groupSize == taskCount { return x }
      return divisor.fixed.map { isWithin(x, $0) } == true ? x : nil
    }
    return small.substituting { atom in
      guard case .modulo(let x, let divisor) = atom, let d = divisor.fixed, d > 0 else { return nil }
      return x - x.floorDivided(by: divisor) * d
    }
  }

  /// The expression with the task as the number of its group and its number in it.
  private func inGroups(_ expression: IntegerExpression) -> IntegerExpression {
    guard expression.mentions(variable: Kernel.taskVariable) else { return expression }
    let member = IntegerExpression.variable(Self.memberVariable)
    let task = groupSize.map { .variable(Self.groupVariable) * $0 + member } ?? member
    let bound: IntegerExpression.Bound = { [groupSize] in
      $0 == .variable(Self.memberVariable) ? groupSize.map { Extent($0) } : nil
    }
    return expression.substituting(bound: bound) { $0 == .variable(Kernel.taskVariable) ? task : nil }
  }

  private func isWithin(_ expression: IntegerExpression, _ limit: Int) -> Bool {
    let range = range(of: expression)
    guard let least = least(range), let most = most(range) else { return false }
    return least >= 0 && most < limit
  }

  private func range(of atom: IntegerExpression.Atom) -> Range {
    switch atom {
    case .symbol: return Range(lower: [.constant(0)])
    case .variable(let variable): return variables[variable] ?? .unknown
    case .floorDivide(let a, let b): return b.fixed.map { quotient(range(of: a), $0) } ?? .unknown
    case .modulo(_, let b):
      guard let d = b.fixed, d > 0 else { return .unknown }
      return .constants(0, d - 1)
    case .minimum(let a, let b):
      let (a, b) = (range(of: a), range(of: b))
      return Range(
        lower: both(a.lower, b.lower, least(a), least(b), min), upper: Range.tightest(a.upper + b.upper, min))
    case .maximum(let a, let b):
      let (a, b) = (range(of: a), range(of: b))
      return Range(lower: Range.tightest(a.lower + b.lower, max), upper: both(a.upper, b.upper, most(a), most(b), max))
    case .element: return .unknown
    }
  }

  /// The lines that hold for one of two integers, whichever it is; with the numbers that hold for all tasks.
  private func both(
    _ a: [Line], _ b: [Line], _ x: Int?, _ y: Int?, _ worse: (Ratio, Ratio) -> Ratio
  ) -> [Line] {
    var lines: [Line] = []
    for line in a {
      for other in b where other.slope == line.slope {
        lines.append(Line(slope: line.slope, offset: worse(line.offset, other.offset)))
      }
    }
    if let x, let y, !lines.contains(where: { $0.slope == .zero }) {
      lines.append(Line(slope: .zero, offset: worse(Ratio(x), Ratio(y))))
    }
    return lines
  }

  private func quotient(_ range: Range, _ divisor: Int) -> Range {
    guard divisor > 0, let factor = Ratio(1, Int128(divisor)) else { return .unknown }
    let loss = Line.constant(1 - divisor)
    var result = Range(
      lower: range.lower.compactMap { $0.adding(loss)?.times(factor) },
      upper: range.upper.compactMap { $0.times(factor) })
    if let least = least(range) {
      result.lower = Range.tightest(result.lower + [.constant(least.flooredQuotient(divisor))], max)
    }
    if let most = most(range) {
      result.upper = Range.tightest(result.upper + [.constant(most.flooredQuotient(divisor))], min)
    }
    return result
  }

  // MARK: Numbers for all tasks

  private func least(_ range: Range) -> Int? { tasks.lower(range.lower, slope: .zero)?.ceiling }
  private func most(_ range: Range) -> Int? { tasks.upper(range.upper, slope: .zero)?.floor }
}

/// An exact fraction in lowest terms, of numbers that are not very large.
struct Ratio: Hashable, Comparable {
  let numerator: Int
  /// Positive.
  let denominator: Int

  static let zero = Ratio(0)

  init(_ value: Int) { (numerator, denominator) = (value, 1) }

  /// Nil where the numbers are large; `denominator` is positive.
  init?(_ numerator: Int128, _ denominator: Int128) {
    var (a, b) = (numerator.magnitude, denominator.magnitude)
    while b != 0 { (a, b) = (b, a % b) }
    let divisor = Int128(a)
    let (n, d) = (numerator / divisor, denominator / divisor)
    guard n.magnitude < 1 << 60, d < 1 << 30 else { return nil }
    (self.numerator, self.denominator) = (Int(n), Int(d))
  }

  var negated: Ratio { Ratio(unchecked: -numerator, denominator) }

  /// Nil for zero, and where the numbers are large.
  var inverted: Ratio? {
    let sign: Int128 = numerator < 0 ? -1 : 1
    return numerator == 0 ? nil : Ratio(sign * Int128(denominator), sign * Int128(numerator))
  }

  private init(unchecked numerator: Int, _ denominator: Int) {
    (self.numerator, self.denominator) = (numerator, denominator)
  }

  func adding(_ other: Ratio) -> Ratio? {
    let (a, b) = (Int128(denominator), Int128(other.denominator))
    return Ratio(Int128(numerator) * b + Int128(other.numerator) * a, a * b)
  }

  func times(_ other: Ratio) -> Ratio? {
    // Each is less than 2^63.
    Ratio(Int128(numerator) * Int128(other.numerator), Int128(denominator) * Int128(other.denominator))
  }

  var floor: Int { numerator.flooredQuotient(denominator) }
  var ceiling: Int { -(-numerator).flooredQuotient(denominator) }

  static func < (a: Ratio, b: Ratio) -> Bool {
    Int128(a.numerator) * Int128(b.denominator) < Int128(b.numerator) * Int128(a.denominator)
  }
}
