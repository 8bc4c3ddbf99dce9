import CodegenLLVM
import IR
import Passes
import Testing

@testable import Codegen

/// Launches that run in bands: what tasks reach, what a band needs and keeps, and that no result sees it.
@Suite struct BandTests {
  // MARK: Bands of made-up launches

  /// Two launches, of which the second's tasks read what the first one's wrote.
  private struct Pair {
    var link: Program.Bands.Link
    /// Of the launch before.
    var writerCount: Int
    var readerCount: Int

    init(_ random: inout SplitMix) {
      func reach() -> TaskReach {
        let step = Int.random(in: 1...(Bool.random(using: &random) ? 40 : 600), using: &random)
        let low = Int.random(in: -60...20, using: &random)
        return TaskReach(
          step: step, divisor: Int.random(in: 1...6, using: &random), low: low,
          high: low + Int.random(in: 0...90, using: &random))
      }
      link = .init(buffer: BufferID(0), elementByteCount: 4, elementCount: 0, written: reach(), read: reach())
      readerCount = Int.random(in: 1...40, using: &random)
      // Enough to write all that is read, and some more.
      let end = Pair.value(link.read.end(before: Extent(readerCount)))
      writerCount =
        max(1, Pair.value(link.written.endTask(before: Extent(end)))) + Int.random(in: 0...3, using: &random)
    }

    static func value(_ expression: IntegerExpression) -> Int { expression.fixed ?? .min }

    func elements(_ reach: TaskReach, _ task: Int) -> Range<Int> {
      let first = Pair.value(reach.first(from: Extent(task)))
      return first..<max(first, Pair.value(reach.end(before: Extent(task + 1))))
    }
  }

  @Test func reachesAreInverted() {
    for seed in 0..<300 as Range<UInt64> {
      var random = SplitMix(state: seed)
      let reach = Pair(&random).link.written
      for element in -50...200 {
        let first = Pair.value(reach.firstTask(from: Extent(element)))
        let end = Pair.value(reach.endTask(before: Extent(element)))
        func last(_ task: Int) -> Int { Pair.value(reach.end(before: Extent(task + 1))) - 1 }
        #expect(last(first) >= element && last(first - 1) < element)
        func start(_ task: Int) -> Int { Pair.value(reach.first(from: Extent(task))) }
        #expect(start(end - 1) < element && start(end) >= element)
      }
    }
  }

  /// Goes through the bands of a run as the compiled function does: each element that is read was written in this run or a
  /// band before, is still in the room, and nothing lies outside of the room.
  @Test func aRunKeepsWhatItNeeds() {
    for seed in 0..<400 as Range<UInt64> {
      var random = SplitMix(state: seed)
      let pair = Pair(&random)
      let tasksPerBand = Int.random(in: 1...7, using: &random)
      let begin = Int.random(in: 0..<pair.readerCount, using: &random)
      let room = [pair.link].elementCounts(forTasks: tasksPerBand)[0]
      var (done, origin) = (0, 0)
      // The tasks whose elements are in the room, all of them.
      var kept: Set<Int> = []
      for first in stride(from: begin, to: pair.readerCount, by: tasksPerBand) {
        let end = min(first + tasksPerBand, pair.readerCount)
        let needed = pair.link.tasks(neededBy: Extent(first), Extent(end))
        let oldest = max(0, Pair.value(needed.first))
        let start = max(oldest, done)
        let stop = max(min(Pair.value(needed.end), pair.writerCount), start)
        let newOrigin = Pair.value(pair.link.origin(writtenFrom: Extent(oldest)))
        #expect(first == begin || newOrigin >= origin)
        origin = newOrigin
        kept = kept.filter { pair.elements(pair.link.written, $0).lowerBound >= origin }
        kept.formUnion(start..<stop)
        for task in kept {
          let elements = pair.elements(pair.link.written, task)
          #expect(elements.lowerBound >= origin && elements.upperBound <= origin + room)
        }
        for task in first..<end {
          let read = pair.elements(pair.link.read, task)
          for writer in 0..<pair.writerCount where pair.elements(pair.link.written, writer).overlaps(read) {
            #expect(kept.contains(writer), "seed \(seed): task \(task) needs \(writer)")
          }
        }
        done = stop
      }
    }
  }

  /// Where a launch passes over elements of the one before, a band of twice the tasks needs more than twice the room.
  @Test func severalRoomsHoldABandOfAllTheirTasks() {
    var tooSmall = 0
    for seed in 0..<400 as Range<UInt64> {
      var random = SplitMix(state: seed)
      let links = (0..<Int.random(in: 1...3, using: &random)).map { _ in Pair(&random).link }
      let (tasks, rooms) = (Int.random(in: 1...5, using: &random), Int.random(in: 1...6, using: &random))
      let sized = links.sized(tasksPerRoom: tasks, roomsPerBand: rooms)
      for count in 1...rooms {
        let needed = links.elementCounts(forTasks: count * tasks)
        for (link, needed) in zip(sized, needed) {
          #expect(needed <= count * link.elementCount && link.elementCount % link.unit == 0)
        }
        let plain = links.elementCounts(forTasks: tasks)
        tooSmall += zip(plain, needed).contains { $1 > count * $0 } ? 1 : 0
      }
    }
    #expect(tooSmall > 0)
  }

  // MARK: Reaches of kernels

  /// Goes through all accesses of one task to a buffer, whether they are masked or not.
  private struct Walk {
    let kernel: Kernel
    let buffer: Memory
    let symbols: [Symbol: Int]
    var variables: [Int: [Int]] = [:]
    var positions: [Int] = []

    func values(_ expression: IntegerExpression, lanes: Int) -> [Int] {
      (0..<lanes).map { lane in
        expression.evaluated { atom in
          switch atom {
          case .symbol(let symbol): return symbols[symbol]
          case .variable(-1): return lane
          case .variable(let variable):
            guard let known = variables[variable] else { return nil }
            return known.count == 1 ? known[0] : known[lane]
          default: return nil
          }
        } ?? .min
      }
    }

    mutating func visit(_ statements: [Statement]) {
      for statement in statements {
        switch statement {
        case .define(let register, .index(let expression)):
          let found = values(expression, lanes: kernel.type(of: register).lanes)
          for (variable, other) in kernel.registerVariables where other == register { variables[variable] = found }
        case .define(let register, .load(buffer, let position, _)):
          note(position, lanes: kernel.type(of: register).lanes)
        case .store(let register, buffer, let position, _): note(position, lanes: kernel.type(of: register).lanes)
        case .loop(let loop):
          for value in stride(from: values(loop.lower, lanes: 1)[0], to: values(loop.upper, lanes: 1)[0], by: loop.step)
          {
            variables[loop.variable] = [value]
            visit(loop.body)
          }
        case .branch(_, let then, let otherwise):
          visit(then)
          visit(otherwise)
        default: break
        }
      }
    }

    private mutating func note(_ position: IntegerExpression, lanes: Int) {
      let first = values(position, lanes: 1)[0]
      positions += [first, first + lanes - 1]
    }
  }

  /// Kernels that go through images: windows with and without padding, products; extents that fill no tile.
  private static func images(batch: String) -> String {
    func conv(_ window: String, groups: Int = 1) -> String {
      "dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {\(window)} {batch_group_count = 1 : i64, feature_group_count = \(groups) : i64}"
    }
    let extents = batch == "?" ? #" {tfc.extents = [["n", "90", "17", "5"]]}"# : ""
    func type(_ rest: String) -> String { "tensor<\(batch)x\(rest)xf32>" }
    return """
      func.func @main(%x: \(type("90x17x5"))\(extents)) -> \(type("43x7x9")) {
        %k = stablehlo.constant dense<0.5> : tensor<1x1x5x32xf32>
        %a = stablehlo.convolution(%x, %k) \(conv("")) : (\(type("90x17x5")), tensor<1x1x5x32xf32>) -> \(type("90x17x32"))
        %w = stablehlo.constant dense<0.25> : tensor<3x3x1x32xf32>
        %b = stablehlo.convolution(%a, %w) \(conv("pad = [[1, 1], [1, 1]]", groups: 32)) : (\(type("90x17x32")), tensor<3x3x1x32xf32>) -> \(type("90x17x32"))
        %c = stablehlo.convolution(%b, %w) \(conv("stride = [2, 2]", groups: 32)) : (\(type("90x17x32")), tensor<3x3x1x32xf32>) -> \(type("44x8x32"))
        %v = stablehlo.constant dense<0.125> : tensor<2x2x32x9xf32>
        %d = stablehlo.convolution(%c, %v) \(conv("")) : (\(type("44x8x32")), tensor<2x2x32x9xf32>) -> \(type("43x7x9"))
        return %d : \(type("43x7x9"))
      }
      """
  }

  /// The text's program, with bands wherever they save anything.
  private static func program(_ text: String, cache: Int) throws -> (Function, Program) {
    let module = try Module(parsing: text)
    let function = try PassPipeline().run(try #require(module.entry), in: module).function
    var target = try LLVMCompiler(cpu: "x86-64-v4").target
    target.l2ByteCount = cache
    var lowering = ProgramLowering(target: target, precision: .f32, tuning: Tuning())
    lowering.bandRules = BandSizing.Rules(callCost: 0, moveCost: 0, leastTasks: 2, mostRooms: 100)
    try lowering.lowerEntry(function)
    return (try #require(module.entry), lowering.program(named: function.name, symbols: function.symbols))
  }

  @Test(arguments: ["1", "?"]) func reachesHoldForAllTasks(batch: String) throws {
    let (_, program) = try Self.program(Self.images(batch: batch), cache: 1 << 20)
    let symbols = Dictionary(uniqueKeysWithValues: program.symbols.map { ($0, 2) })
    var count = 0
    for kernel in program.kernels {
      for position in kernel.buffers.indices {
        guard let reach = kernel.reach(inBuffer: position) else { continue }
        count += 1
        let taskCount = kernel.taskCount.evaluated { if case .symbol(let s) = $0 { symbols[s] } else { nil } } ?? 0
        for task in stride(from: 0, to: taskCount, by: 3) {
          var walk = Walk(kernel: kernel, buffer: .buffer(position), symbols: symbols)
          walk.variables[Kernel.taskVariable] = [task]
          walk.visit(kernel.body)
          let start = (task * reach.step).flooredQuotient(reach.divisor)
          let (low, high) = (walk.positions.min() ?? start, walk.positions.max() ?? start)
          #expect(low >= start + reach.low && high <= start + reach.high, "\(kernel.name) \(position) task \(task)")
        }
      }
    }
    #expect(count >= 8)
  }

  // MARK: Compiled programs

  private static func bands(_ program: Program) -> [Program.Bands] {
    program.steps.compactMap { if case .bands(let bands) = $0 { bands } else { nil } }
  }

  private static func numbers(_ dimensions: [Int]) -> Literal {
    let count = dimensions.reduce(1, *)
    return Literal(.f32, dimensions, (0..<count).map { .real(Double($0 * 37 % 101) / 50 - 1) })
  }

  /// Whether the program's results are near those of the graph, and the same for all shares of its threads.
  private static func check(_ function: Function, _ program: Program, _ inputs: [Literal], symbols: [Int] = []) throws {
    let expected = try function.graph.evaluate(
      inputs, in: EvaluationContext(symbols: Dictionary(uniqueKeysWithValues: zip(function.symbols, symbols))))
    var first: [Literal]?
    for time in [1 << 40, 6_000_000, 1] {
      var options = LLVMCompiler.Options()
      (options.verifies, options.timePerThread) = (true, time)
      // Made for wider vectors, and run where there are none.
      let library = try CompiledProgram(program, LLVMCompiler(cpu: "x86-64-v3"), options)
      let found = try library.run(program, inputs, symbols: symbols)
      for (one, other) in zip(found, expected) {
        let count = one.type.fixedDimensions?.reduce(1, *) ?? 0
        for position in 0..<count {
          let (a, b) = (one[position].realValue, other[position].realValue)
          if (a - b).magnitude > 1e-4 * max(1, b.magnitude) {
            Issue.record("element \(position) is \(a), not \(b), with \(time) ps a thread")
            return
          }
        }
      }
      #expect(first.map { $0 == found } ?? true)
      first = found
    }
  }

  @Test(arguments: [("1", []), ("?", [0]), ("?", [1]), ("?", [3])]) func chainsOfWindows(
    batch: String, symbols: [Int]
  ) throws {
    let (function, program) = try Self.program(Self.images(batch: batch), cache: 160 << 10)
    #expect(Self.bands(program).map(\.launches.count) == [3])
    // So that bands follow each other, in one run too.
    for bands in Self.bands(program) { #expect(bands.tasksPerRoom * bands.roomsPerBand <= 22) }
    let count = symbols.first ?? Int(batch) ?? 0
    try Self.check(function, program, [Self.numbers([count, 90, 17, 5])], symbols: symbols)
  }

  /// The last of each chain would be written over what the first one reads. What is written over it later, a slice only, goes
  /// with it.
  @Test func aResultIsNotWrittenOverWhatTheChainReads() throws {
    let text = """
      func.func @main(%x: tensor<1x40x20x16xf32>) -> tensor<1x40x20x16xf32> {
        %t = stablehlo.tanh %x : tensor<1x40x20x16xf32>
        %k = stablehlo.constant dense<0.0625> : tensor<1x1x16x48xf32>
        %a = stablehlo.convolution(%t, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x40x20x16xf32>, tensor<1x1x16x48xf32>) -> tensor<1x40x20x48xf32>
        %w = stablehlo.constant dense<0.25> : tensor<3x3x1x48xf32>
        %b = stablehlo.convolution(%a, %w) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {pad = [[1, 1], [1, 1]]} {batch_group_count = 1 : i64, feature_group_count = 48 : i64} : (tensor<1x40x20x48xf32>, tensor<3x3x1x48xf32>) -> tensor<1x40x20x48xf32>
        %p = stablehlo.constant dense<0.03125> : tensor<1x1x48x16xf32>
        %c = stablehlo.convolution(%b, %p) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x40x20x48xf32>, tensor<1x1x48x16xf32>) -> tensor<1x40x20x16xf32>
        %s = stablehlo.add %c, %t : tensor<1x40x20x16xf32>
        %u = stablehlo.tanh %s : tensor<1x40x20x16xf32>
        %q = stablehlo.convolution(%u, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x40x20x16xf32>, tensor<1x1x16x48xf32>) -> tensor<1x40x20x48xf32>
        %r = stablehlo.convolution(%q, %p) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x40x20x48xf32>, tensor<1x1x48x16xf32>) -> tensor<1x40x20x16xf32>
        %v = stablehlo.add %r, %u : tensor<1x40x20x16xf32>
        %zero = stablehlo.constant dense<0> : tensor<i32>
        %one = stablehlo.constant dense<1.5> : tensor<1x3x20x16xf32>
        %z = stablehlo.dynamic_update_slice %v, %one, %zero, %zero, %zero, %zero : (tensor<1x40x20x16xf32>, tensor<1x3x20x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x40x20x16xf32>
        %kept = stablehlo.optimization_barrier %z : tensor<1x40x20x16xf32>
        %e = stablehlo.tanh %kept : tensor<1x40x20x16xf32>
        return %e : tensor<1x40x20x16xf32>
      }
      """
    let (function, program) = try Self.program(text, cache: 260 << 10)
    let bands = Self.bands(program)
    #expect(bands.map(\.launches.count) == [3, 2])
    for chain in bands {
      let written = zip(chain.lastLaunch.buffers, program.kernels[chain.lastLaunch.kernel].buffers)
        .filter { $1.isWritten }.map { program.buffers[$0.0.index].place }
      for launch in chain.launches.dropLast() {
        for buffer in launch.buffers { #expect(!written.contains(program.buffers[buffer.index].place)) }
      }
    }
    try Self.check(function, program, [Self.numbers([1, 40, 20, 16])])
  }

  @Test func whatIsWrittenOverAMovedResultGoesWithIt() throws {
    var lowering = ProgramLowering(
      target: try LLVMCompiler(cpu: "x86-64-v4").target, precision: .f32, tuning: Tuning())
    for sharing in [nil, 0, 0, 0, nil] as [Int?] {
      lowering.buffers.append(
        DraftBuffer(type: TensorType(.f32, fixed: [4]), place: .arena(sharing: sharing.map { BufferID($0) })))
    }
    var uses = BufferUses([], lowering)
    #expect(uses.sharers == [BufferID(0): [1, 2, 3].map { BufferID($0) }])
    uses.separate(BufferID(2), with: [BufferID(3)])
    #expect(uses.sharers == [BufferID(0): [BufferID(1)], BufferID(2): [BufferID(3)]])
    uses.separate(BufferID(3), with: [])
    uses.separate(BufferID(1), with: [])
    #expect(uses.sharers.isEmpty)
  }

  /// What two launches read is no link: it must be there as a whole.
  @Test func whatIsReadTwiceStaysWhole() throws {
    let text = """
      func.func @main(%x: tensor<64x64xf32>, %w: tensor<64x512xf32>, %v: tensor<512x64xf32>) -> (tensor<64x64xf32>, tensor<64x512xf32>) {
        %a = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<64x64xf32>, tensor<64x512xf32>) -> tensor<64x512xf32>
        %b = stablehlo.dot_general %a, %v, contracting_dims = [1] x [0] : (tensor<64x512xf32>, tensor<512x64xf32>) -> tensor<64x64xf32>
        return %b, %a : tensor<64x64xf32>, tensor<64x512xf32>
      }
      """
    let (function, program) = try Self.program(text, cache: 64 << 10)
    #expect(Self.bands(program).isEmpty)
    try Self.check(function, program, [[64, 64], [64, 512], [512, 64]].map(Self.numbers))
  }

  @Test func whatFitsTheCacheStaysAsItIs() throws {
    let (_, program) = try Self.program(Self.images(batch: "1"), cache: 4 << 20)
    #expect(Self.bands(program).isEmpty)
  }
}
