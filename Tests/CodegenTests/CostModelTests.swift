import IR
import Testing

@testable import Codegen

/// What the cost model says of kernels whose work is known.
struct CostModelTests {
  private static let target = Target(
    cpu: "test", vectorByteCount: 64, vectorRegisterCount: 32, hasMultiplyAdd: true, l1ByteCount: 48 << 10,
    l2ByteCount: 2 << 20)

  /// The last kernel of one op on operands of these types.
  private func kernel(
    _ op: Op, _ types: [TensorType], anchor: Fusion.Anchor = .loop, constants: [Literal?]? = nil
  ) throws -> Kernel {
    var graph = Graph()
    let parameters = types.map { graph.addParameter($0) }
    graph.results = [try graph.append(op, parameters)]
    let request = SchedulingRequest(
      body: graph, anchor: anchor, name: "kernel", sources: [], constants: constants ?? types.map { _ in nil },
      target: Self.target)
    let scheduled = try #require(Schedule.order.lazy.compactMap { $0.kernels(request) }.first)
    return try #require(scheduled.steps.lastLaunch).kernel
  }

  private func sum(_ dimensions: [Extent]) throws -> Kernel {
    let type = TensorType(.f32, dimensions)
    return try kernel(.pointwise(Pointwise(.add)), [type, type])
  }

  private func product(_ rows: Extent, _ depth: Int, _ columns: Int) throws -> Kernel {
    let dot = DotGeneral(
      Contraction(lhsBatching: [], rhsBatching: [], lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
    let weights = Literal(.f32, [depth, columns], (0..<depth * columns).map { .real(Double($0 % 7)) })
    return try kernel(
      .dotGeneral(dot), [TensorType(.f32, [rows, Extent(depth)]), weights.type], anchor: .contraction,
      constants: [nil, weights])
  }

  private func cost(_ kernel: Kernel, _ situation: CostModel.Situation = .init(), threads: Int = 1) -> CostModel.Cost {
    CostModel(Self.target, threads: threads).cost(of: kernel, in: situation)
  }

  @Test func countsOfASumAreExact() throws {
    let cost = cost(try sum([3, 5, 32]))
    #expect(cost.flops == 480)
    #expect(cost.byteCount == 3 * 480 * 4)
  }

  @Test func countsOfAProductAreExact() throws {
    for rows in [1, 13, 28, 75] {
      let cost = cost(try product(Extent(rows), 40, 64))
      #expect(cost.flops == Double(2 * rows * 40 * 64))
      #expect(cost.byteCount == Double(4 * (rows * 40 + 40 * 64 + rows * 64)), "\(rows) rows")
    }
  }

  @Test func symbolsHaveTheValuesGiven() throws {
    let kernel = try product(.symbol("batch"), 40, 64)
    for rows in [0, 1, 5, 29, 300] {
      let cost = cost(kernel, CostModel.Situation(symbols: [Symbol("batch"): rows]))
      #expect(cost.flops == Double(2 * rows * 40 * 64))
      #expect(cost.nanoseconds.isFinite)
    }
  }

  @Test func aMaskedTailIsWorkButNoBytes() throws {
    let kernel = try sum([3, 5])
    let cost = cost(kernel, CostModel.Situation(bufferByteCounts: [60, 60, 60]))
    #expect(cost.flops >= 15)
    #expect(cost.byteCount == 180)
  }

  @Test func emptyTensorsCostNothingButALaunch() throws {
    let cost = cost(try sum([0, 5]))
    #expect(cost.flops == 0 && cost.byteCount == 0 && cost.tasks == 0)
    #expect(cost.nanoseconds < 100)
  }

  @Test func timeGrowsWithExtents() throws {
    var last = 0.0
    for rows in [7, 30, 130, 500, 2100] {
      let time = cost(try product(Extent(rows), 96, 80)).nanoseconds
      #expect(time > last, "\(rows) rows")
      last = time
    }
    last = 0
    for extent in [100, 1000, 12_000, 150_000, 3_000_000, 40_000_000] {
      let time = cost(try sum([Extent(extent)])).nanoseconds
      #expect(time > last, "\(extent) elements")
      last = time
    }
  }

  @Test func nearDataAreFaster() throws {
    let kernel = try sum([64, 1000])
    let times = Target.Level.allCases.map { level in
      cost(kernel, CostModel.Situation(levels: [level, level, level])).nanoseconds
    }
    #expect(times[0] <= times[1] && times[1] < times[2] && times[2] < times[3], "\(times)")
  }

  @Test func threadsShareLargeKernelsOnly() throws {
    let (large, small) = (try product(2048, 256, 256), try product(4, 32, 32))
    #expect(cost(large, threads: 4).nanoseconds < 0.5 * cost(large).nanoseconds)
    #expect(cost(small, threads: 4).nanoseconds == cost(small).nanoseconds)
  }

  /// Tasks are worth a thread by their time, however their schedule counts operations.
  @Test func timesOfTasksAddUpToThatOfTheKernel() throws {
    func check(_ kernel: Kernel, _ usual: Extent = 1) throws {
      var kernel = kernel
      kernel.setOperationTime(expectedOn: Self.target)
      let symbols = Dictionary(uniqueKeysWithValues: usual.symbols.map { ($0, LoopNest.assumedExtent) })
      let tasks = try #require((kernel.taskCount * kernel.taskTime).value(bySymbol: { symbols[$0] }))
      let cost = cost(kernel, CostModel.Situation(symbols: symbols))
      #expect(abs(Double(tasks) / 1000 - cost.nanoseconds) < 0.1 * cost.nanoseconds, "\(kernel.name)")
    }
    try check(try sum([300, 700]))
    try check(try product(300, 256, 64))
    try check(try product(1, 256, 1024))
    try check(try product(.symbol("batch"), 256, 1024), .symbol("batch"))
    var empty = try sum([0, 5])
    empty.setOperationTime(expectedOn: Self.target)
    #expect(empty.operationTime > 0)
  }

  /// A megabyte of weights takes 10 us, which two threads share, though its multiply-adds are few.
  @Test func threadsShareWeightsOfOneRow() throws {
    var kernel = try product(1, 256, 1024)
    kernel.setOperationTime(expectedOn: Self.target)
    #expect(cost(kernel, threads: 2).nanoseconds < cost(kernel).nanoseconds)
  }

  @Test func aProductThatStaysInRegistersComesNearThePeak() throws {
    let cost = cost(try product(140, 256, 64), CostModel.Situation(levels: [.l1, .l1, .l1]))
    let gigaflops = cost.flops / cost.nanoseconds
    #expect(gigaflops > 0.7 * Self.target.peakGigaflops && gigaflops <= Self.target.peakGigaflops)
    #expect(cost.limitNanoseconds <= cost.nanoseconds)
  }

  /// One accumulator waits for itself, several do not.
  @Test func chainsOfSumsWait() throws {
    func kernel(accumulators: Int) -> Kernel {
      var b = KernelBuilder(target: Self.target)
      let x = b.addBuffer("x", .f32, isWritten: false)
      let y = b.addBuffer("y", .f32, isWritten: true)
      let zero = b.constant(0, .f32, lanes: 16)
      let sums = b.loop(
        to: 9600, step: 16 * accumulators, carrying: [Register](repeating: zero, count: accumulators)
      ) { b, i, sums in
        sums.enumerated().map { number, sum in
          let value = b.load(x, at: i + 16 * number + .lane, lanes: 16)
          return b.multiplyAdd(value, value, sum)
        }
      }
      for (number, sum) in sums.enumerated() { b.store(sum, y, at: .lane + 16 * number, lanes: 16) }
      return b.kernel(name: "sums", sources: [], taskCount: 1, taskCost: 1)
    }
    let (one, six) = (cost(kernel(accumulators: 1)), cost(kernel(accumulators: 6)))
    #expect(one.flops == six.flops)
    #expect(one.cycles > 3 * six.cycles)
  }

  @Test func whatIsUnusualCostsNothing() throws {
    var b = KernelBuilder(target: Self.target)
    let x = b.addBuffer("x", .f32, isWritten: false)
    let y = b.addBuffer("y", .f32, isWritten: true)
    let value = b.load(x, at: .lane, lanes: 16)
    let isUsual = b.apply(.compare(.less, .float), [b.fold(.add, value), b.constant(1, .f32)])
    b.branch(isUsual) { b in
      b.store(b.apply(.multiply, [value, value]), y, at: .lane, lanes: 16)
    } else: { b in
      for number in 1...10 {
        b.store(b.apply(.subtract, [value, b.constant(Double(number), .f32)]), y, at: .lane, lanes: 16)
      }
    }
    var kernel = b.kernel(name: "k", sources: [], taskCount: 1, taskCost: 1)
    let unknown = cost(kernel)
    kernel.usualConditions = [isUsual]
    let known = cost(kernel)
    #expect(known.flops > 16 && known.flops < 48 && unknown.flops > known.flops)
  }

  /// A loop that runs where a condition holds is for what is rarely needed.
  @Test func whatAConditionCountsRunsRarely() throws {
    var b = KernelBuilder(target: Self.target)
    let x = b.addBuffer("x", .f32, isWritten: false)
    let y = b.addBuffer("y", .f32, isWritten: true)
    let isLarge = b.apply(.compare(.less, .float), [b.constant(1, .f32), b.load(x, at: .task, lanes: 1)])
    b.loop(to: b.index(of: isLarge, bound: 2)) { b, _, _ in
      b.store(b.constant(1, .f32), y, at: .task, lanes: 1)
      return []
    }
    #expect(cost(b.kernel(name: "k", sources: [], taskCount: 1000, taskCost: 1)).nanoseconds < 1e5)
  }

  /// Loops that decide how often others run are looked at some of the time: four of 4096 within each other, and of numbers
  /// without end.
  @Test func nestedLoopsAreSampled() throws {
    func kernel(_ extent: Int) -> Kernel {
      var b = KernelBuilder(target: Self.target)
      let y = b.addBuffer("y", .f32, isWritten: true)
      func write(_ depth: Int, to bound: IntegerExpression, _ b: inout KernelBuilder) {
        if depth == 0 { return b.store(b.constant(1, .f32), y, at: .zero, lanes: 1) }
        b.loop(to: bound) { b, variable, _ in
          write(depth - 1, to: .minimum(variable + 2, Extent(extent)), &b)
          return []
        }
      }
      write(4, to: Extent(extent), &b)
      return b.kernel(name: "k", sources: [], taskCount: 1, taskCost: 1)
    }
    #expect(cost(kernel(4096)).nanoseconds > 1e9)
    #expect(cost(kernel(1 << 60)).nanoseconds.isFinite)
  }

  /// Positions made of long chains of operations are not followed to their end.
  @Test func longChainsOfIndicesAreUnknown() throws {
    var b = KernelBuilder(target: Self.target)
    let x = b.addBuffer("x", .f32, isWritten: false)
    let y = b.addBuffer("y", .f32, isWritten: true)
    var index = b.materialize(.task, lanes: 1)
    for _ in 0..<60 { index = b.primitive(.add, [b.primitive(.multiply, [index, index]), index]) }
    b.store(b.load(x, at: b.index(of: index), lanes: 1), y, at: .task, lanes: 1)
    #expect(cost(b.kernel(name: "k", sources: [], taskCount: 64, taskCost: 1)).nanoseconds.isFinite)
  }

  @Test func panelsThatDoNotFitAreReadAgain() throws {
    // 75 rows pass over four panels of 2 MB each in tiles; the cache keeps none of them.
    let cost = cost(try product(75, 16_384, 128))
    #expect(cost.traffic[Target.Level.l3.rawValue] + cost.traffic[Target.Level.memory.rawValue] > 2 * cost.byteCount)
  }

  @Test func variantsAreOtherKernelsOfTheSameFusion() throws {
    var graph = Graph()
    let x = graph.addParameter(TensorType(.f32, [75, 40]))
    let y = graph.addParameter(TensorType(.f32, [40, 96]))
    let dot = DotGeneral(
      Contraction(lhsBatching: [], rhsBatching: [], lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
    graph.results = [try graph.append(.dotGeneral(dot), [x, y])]
    let function = Function(name: "main", graph: graph)
    let request = try #require(try Program.requests(function, target: Self.target).first)
    let kernels = Variant.all.compactMap { request.lastKernel($0) }
    #expect(Set(kernels).count > 2)
    for kernel in kernels { #expect(cost(kernel).flops >= 2 * 75 * 40 * 96) }
    let usual = try Program(function, target: Self.target)
    let tuning = Tuning(variants: [request.request.text: Variant(tileVectors: 1, cacheParts: 1)])
    let tuned = try Program(function, target: Self.target, tuning: tuning)
    #expect(tuned != usual)
    #expect(tuned == (try Program(function, target: Self.target, tuning: tuning)))
    #expect(usual == (try Program(function, target: Self.target, tuning: Tuning(variants: ["another": .usual]))))
  }

  @Test func variantsHaveNames() {
    #expect(Variant.all.first == .usual)
    for variant in Variant.all { #expect(Variant(variant.description) == variant) }
    for name in ["", "tile=0", "tile=5", "cache=1/0", "tile=1 ", "usual usual"] { #expect(Variant(name) == nil) }
  }
}
