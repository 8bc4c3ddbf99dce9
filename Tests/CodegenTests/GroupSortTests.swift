import IR
import Testing

@testable import Codegen

/// What schedules for machines with work-groups make of sorts and running folds.
@Suite struct GroupSortTests {
  private static let target: Target = {
    var target = Target(cpu: "groups", vectorByteCount: 16, vectorRegisterCount: 32, hasMultiplyAdd: true)
    target.workGroups = WorkGroups(
      itemCount: 256, localByteCount: 32 << 10, subgroupItemCount: 32, computeUnitCount: 32)
    return target
  }()

  private func scheduled(
    _ body: Graph, _ anchor: Fusion.Anchor, neededPrefix: Int? = nil, target: Target = Self.target
  ) throws -> ScheduledFusion {
    var request = SchedulingRequest(
      body: body, anchor: anchor, name: "kernel", sources: [], constants: body.parameters.map { _ in nil },
      target: target)
    request.neededPrefix = neededPrefix
    return try #require(Schedule.scheduled(request))
  }

  private func launches(_ steps: [ScheduledFusion.Step]) -> [ScheduledFusion.Launch] {
    steps.flatMap { step in
      switch step {
      case .launch(let launch): [launch]
      case .choice(_, let then, let otherwise): launches(then) + launches(otherwise)
      }
    }
  }

  private static func comparator(_ function: ScalarFunction, _ type: ElementType = .f32) throws -> Graph {
    var graph = Graph()
    let parameters = [type, type, .i32, .i32].map { graph.addParameter(.scalar($0)) }
    graph.results = [try graph.append(.pointwise(function), [parameters[0], parameters[1]])]
    return graph
  }

  /// Numbers with their positions, ordered by the numbers; of the results those that are wanted.
  private func sort(
    _ dimensions: [Extent], _ dimension: Int, results: [Int] = [0, 1], of type: ElementType = .f32
  ) throws -> Graph {
    var graph = Graph()
    let operands = [type, .i32].map { graph.addParameter(TensorType($0, dimensions)) }
    let sort = Sort(dimension: dimension, comparator: try Self.comparator(.compare(.less, .float), type))
    let sorted = graph.results(of: try graph.append(.sort(sort), operands))
    graph.results = results.map { sorted[$0] }
    return graph
  }

  // MARK: Sorts

  /// Where local memory holds nothing, or one item has no other, a line is sorted by one item.
  @Test(arguments: [0, 1, 40, 64], [1, 256]) func devicesWithoutRoomSortToo(byteCount: Int, itemCount: Int) throws {
    var target = Self.target
    target.workGroups?.localByteCount = byteCount
    target.workGroups?.itemCount = itemCount
    for type in [ElementType.f32, .f64] {
      let found = launches(try scheduled(try sort([3, 1000], 1, of: type), .sort, target: target).steps)
      #expect(found.allSatisfy { $0.kernel.itemCount <= itemCount && $0.kernel.localByteCount <= byteCount })
      #expect(!found.isEmpty)
    }
  }

  @Test func shortLinesShareAGroup() throws {
    for (shape, items) in [([4096, 5], 255), ([3, 20], 60), ([1, 1], 2), ([8, 1000], 250)] {
      let found = launches(try scheduled(try sort(shape.map { Extent($0) }, 1), .sort).steps)
      #expect(found.map(\.kernel.itemCount) == [items], "\(shape)")
      let lines = found[0].kernel.taskCount.fixed.map { $0 * items } ?? 0
      #expect(lines * 7 >= shape[0] * shape[1], "\(shape)")
    }
    #expect(try scheduled(try sort([4, 0], 1), .sort).steps.isEmpty)
  }

  /// Blocks of 1792 elements, then a round for each doubling; the same kernel for all of them.
  @Test func longLinesAreMergedInRounds() throws {
    let fusion = try scheduled(try sort([2, 10_000], 1), .sort)
    let found = launches(fusion.steps)
    #expect(found.count == 4 && Set(found.map(\.kernel)).count == 2)
    #expect(found.map(\.kernel.itemCount) == [256, 256, 256, 256])
    #expect(found[3].arguments.suffix(2) == [.result(0), .result(1)])
    #expect(fusion.constants.map { $0[0].integerValue } == [1792, 3584, 7168])
  }

  @Test func theLengthMayBeKnownLate() throws {
    let fusion = try scheduled(try sort([3, .symbol("n")], 1), .sort)
    guard case .choice(.atLeast(.symbol("n"), 8), let longer, let short)? = fusion.steps.first else {
      Issue.record("short lines have a kernel of their own")
      return
    }
    #expect(launches(short).count == 1)
    let kernels = Set(launches(longer).map(\.kernel))
    #expect(kernels.count == 3, "lines of up to 112 elements, blocks, and one kernel for all rounds")
  }

  /// What is neither compared nor read does not move.
  @Test func unusedOperandsAreLeftAlone() throws {
    let keys = launches(try scheduled(try sort([40, 70], 1, results: [0]), .sort).steps)[0].kernel
    #expect(keys.shared.map(\.elementType) == [.f32])
    let positions = launches(try scheduled(try sort([40, 70], 1, results: [1]), .sort).steps)[0].kernel
    #expect(positions.shared.map(\.elementType) == [.f32, .i32])
    #expect(positions.buffers.filter(\.isWritten).map(\.elementType) == [.i32])
  }

  @Test func readersOfTheFirstFewNeedNoMore() throws {
    var graph = try sort([4, 9000], 1)
    let sorted = graph.results[0].index < graph.results[1].index ? graph.results : graph.results.reversed()
    let node = graph[sorted[0]].operands[0]
    #expect(graph.neededPrefix(of: node, along: 1) == nil)
    func slice(_ limit: Int) -> Op {
      .slice(Slice(starts: [0, 0], limits: [4, Extent(limit)], strides: [1, 1]))
    }
    graph.results = [try graph.append(slice(5), [sorted[0]]), try graph.append(slice(3), [sorted[1]])]
    #expect(graph.neededPrefix(of: node, along: 1) == 5)
    let negated = try graph.append(.pointwise(.negate), [sorted[0]])
    #expect(graph.neededPrefix(of: node, along: 1) == nil)
    graph.results.append(negated)
    #expect(graph.neededPrefix(of: node, along: 1) == nil)
  }

  /// `<` and `>` order numbers, and NaN after them.
  @Test func comparatorsOrderNaNs() throws {
    let values: [Double] = [-.infinity, -1, -0.0, 0, 2, .infinity, .nan]
    for direction in [ComparisonDirection.less, .greater] {
      let ordered = try Self.comparator(.compare(direction, .float)).orderingNaNs
      for a in values {
        for b in values {
          let numbers = [a, b].map { Literal(.f32, [], splat: .real($0)) }
          let positions = [Literal](repeating: Literal(.i32, [], splat: .integer(0)), count: 2)
          let isLess = try ordered.evaluate(numbers + positions)[0][0].isTrue
          let expected = a.isNaN ? false : b.isNaN ? true : direction == .less ? a < b : a > b
          #expect(isLess == expected, "\(a) \(direction.rawValue) \(b)")
        }
      }
    }
  }

  // MARK: Running folds

  private func scan(
    _ dimensions: [Extent], _ dimension: Int, _ function: ScalarFunction = .add, transposed: Bool = false
  ) throws -> Graph {
    var graph = Graph()
    let x = graph.addParameter(TensorType(.f32, dimensions))
    let zero = try graph.append(.constant(.scalar(.real(0), .f32)))
    var window = dimensions.map { _ in WindowDimension(extent: .one) }
    let length = try #require(dimensions[dimension].fixed)
    window[dimension] = WindowDimension(extent: Extent(length), paddingLow: length - 1)
    let fold = ReduceWindow(window: window, body: try sumBody(function))
    graph.results = [try graph.append(.reduceWindow(fold), [x, zero])]
    if transposed { graph.results = [try graph.append(.transpose(Transpose(permutation: [1, 0])), graph.results)] }
    return graph
  }

  /// By dimensions and the one that is scanned, the items of each kernel.
  @Test func scansSuitTheLines() throws {
    let cases: [([Extent], Int, [Int])] = [
      ([1000, 20], 1, [1]), ([1000, 40], 1, [32]), ([64, 1000], 1, [256]), ([64, 9000], 1, [256]),
      ([2, 9000], 1, [256, 256, 256]), ([9000, 2], 0, [256, 256, 256]), ([300, 5000], 0, [1]),
      ([.symbol("n"), 9000], 1, [256, 256, 256, 256]),
    ]
    for (dimensions, dimension, items) in cases {
      let found = launches(try scheduled(try scan(dimensions, dimension), .window).steps)
      #expect(found.map(\.kernel.itemCount) == items, "\(dimensions)")
    }
    let serial = launches(try scheduled(try scan([2, 9000], 1, .subtract), .window).steps)
    #expect(serial.map(\.kernel.itemCount) == [1])
  }

  /// What follows elsewhere than at the fold's own index is another kernel's.
  @Test func whatFollowsAScan() throws {
    let fusion = try scheduled(try scan([70, 40], 1, transposed: true), .window)
    let found = launches(fusion.steps)
    #expect(fusion.temporaries.count == 1 && found.count == 2)
    #expect(found[0].arguments.last == .temporary(0) && found[1].arguments == [.temporary(0), .result(0)])
  }
}
