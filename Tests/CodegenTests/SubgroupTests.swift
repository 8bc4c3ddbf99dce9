import CodegenOpenCL
import IR
import Testing

@testable import Codegen

/// Items that read each other's registers; where a device has no instruction for it, as here, through local memory.
@Suite(.serialized) struct SubgroupTests {
  private static func target(_ width: Int, items: Int, hasShuffles: Bool = true) -> Target {
    .openCL(
      WorkGroups(
        itemCount: items, localByteCount: 32 << 10, subgroupItemCount: width, computeUnitCount: 4,
        hasShuffles: hasShuffles))
  }

  private static let taskCount = 3

  private func run(_ b: KernelBuilder, _ input: Literal, _ type: ElementType, count: Int) throws -> Literal {
    var draft = ProgramDraft()
    let buffers = [draft.addInput(input), draft.addOutput(type, [Extent(count)])]
    let kernel = b.kernel(name: "test", sources: [], taskCount: Extent(Self.taskCount), taskCost: 1)
    draft.append(draft.launch(kernel, buffers))
    return try OpenCLDevice().run(draft.program, draft.inputs)[0]
  }

  /// One fold after the other, in a loop, and after it: none reads what another left. Subgroups are one or many.
  @Test(arguments: [(4, 4), (4, 256), (16, 32), (16, 256), (32, 1024)])
  func foldsCombineAllItems(width: Int, items: Int) throws {
    var b = KernelBuilder(target: Self.target(width, items: items))
    b.itemCount = items
    let (x, y) = (b.addBuffer("x", .i32, isWritten: false), b.addBuffer("y", .i32, isWritten: true))
    let position = IntegerExpression.task * items + .item
    let value = b.load(x, at: position, lanes: 1)
    let sum = b.foldItems(.add, value)
    let most = b.foldItems(.maximum, value)
    let product = b.foldItems(.add, b.apply(.multiply, [value, most]))
    let looped = b.loop(to: 5, carrying: [sum]) { b, _, before -> [Register] in
      [b.foldItems(.add, b.apply(.xor, [before[0], value]))]
    }[0]
    let last = b.foldItems(.minimum, b.apply(.xor, [looped, value]))
    for (number, result) in [sum, most, product, looped, last].enumerated() {
      b.store(result, y, at: position * 5 + number, lanes: 1)
    }
    let numbers = (0..<Self.taskCount * items).map { Int32(truncatingIfNeeded: $0 &* 7919 % 1009 - 500) }
    let input = Literal(.i32, [numbers.count], numbers.map { .integer(Int64($0)) })
    let output = try run(b, input, .i32, count: 5 * numbers.count)
    for task in 0..<Self.taskCount {
      let row = numbers[task * items..<(task + 1) * items]
      let (sum, most) = (row.reduce(0, &+), row.max() ?? 0)
      let looped = (0..<5).reduce(sum) { before, _ in row.reduce(0) { $0 &+ (before ^ $1) } }
      let expected = [sum, most, row.reduce(0) { $0 &+ $1 &* most }, looped, row.map { looped ^ $0 }.min() ?? 0]
      for item in [0, 1, items / 2, items - 1] {
        let first = (task * items + item) * 5
        #expect((first..<first + 5).map { output[$0].integerValue } == expected.map(Int64.init))
      }
    }
  }

  @Test(arguments: [ElementType.i1, .i8, .ui16, .i64, .ui64, .f16, .bf16, .f32, .f64])
  func everyTypeIsExchanged(type: ElementType) throws {
    let (width, items) = (8, 32)
    var b = KernelBuilder(target: Self.target(width, items: items))
    b.itemCount = items
    let (x, y) = (b.addBuffer("x", type, isWritten: false), b.addBuffer("y", type, isWritten: true))
    let position = IntegerExpression.task * items + .item
    let value = b.load(x, at: position, lanes: 1)
    b.store(b.partner(value, 4), y, at: position * 2, lanes: 1)
    b.store(b.foldItems(type == .i1 ? .or : .maximum, value), y, at: position * 2 + 1, lanes: 1)
    let special = specialValues(type).filter { !$0.realValue.isNaN || type.isInteger || type == .i1 }
    let values = (0..<Self.taskCount * items).map { special[$0 * $0 % special.count] }
    let output = try run(b, Literal(type, [values.count], values), type, count: 2 * values.count)
    let function: ScalarFunction = type == .i1 ? .or : .maximum
    for item in values.indices {
      #expect(isSame(output[2 * item], values[item ^ 4]), "\(item)")
      let first = item / items * items
      let most = try values[first + 1..<first + items].reduce(values[first]) {
        try function.evaluate([$0, $1], [type, type], type)
      }
      #expect(isSame(output[2 * item + 1], most), "\(item)")
    }
  }

  /// The sum and the place of the largest, of any length: neighbours are combined in one tree, whoever exchanges them.
  @Test(arguments: [(4, 64), (16, 64), (16, 256), (32, 32)])
  func orderedFoldsHaveTheSameBitsWithoutExchanges(width: Int, items: Int) throws {
    let text = """
      func.func @main(%x: tensor<5x2047xf32>, %first: tensor<f32>) -> (tensor<5xf32>, tensor<5xf32>) {
        %0:2 = stablehlo.reduce(%x init: %first), (%x init: %first) across dimensions = [1]
          : (tensor<5x2047xf32>, tensor<5x2047xf32>, tensor<f32>, tensor<f32>) -> (tensor<5xf32>, tensor<5xf32>)
          reducer(%a: tensor<f32>, %b: tensor<f32>) (%i: tensor<f32>, %j: tensor<f32>) {
            %sum = stablehlo.add %a, %b : tensor<f32>
            %most = stablehlo.maximum %i, %j : tensor<f32>
            stablehlo.return %sum, %most : tensor<f32>, tensor<f32>
          }
        return %0#0, %0#1 : tensor<5xf32>, tensor<5xf32>
      }
      """
    let function = try #require(try Module(parsing: text).entry)
    var random = SplitMix(state: 17)
    let inputs = [random.literal(TensorType(.f32, fixed: [5, 2047])), Literal(.f32, [], [.real(0.25)])]
    let results = try [true, false].map { hasShuffles in
      let target = Self.target(width, items: items, hasShuffles: hasShuffles)
      let program = try Program(function, target: target)
      #expect(program.kernels.map(\.itemCount) == [items])
      #expect(OpenCLSource(program).text.contains("tfc_exchange") == hasShuffles)
      return try OpenCLDevice().run(program, inputs)
    }
    #expect(results[0] == results[1])
  }

  @Test func eachFoldWaitsOnce() {
    func barriers(hasShuffles: Bool) -> Int {
      var b = KernelBuilder(target: Self.target(16, items: 256, hasShuffles: hasShuffles))
      b.itemCount = 256
      let x = b.addBuffer("x", .f32, isWritten: true)
      let sum = b.foldItems(.add, b.load(x, at: .item, lanes: 1))
      b.store(b.foldItems(.maximum, b.apply(.multiply, [sum, sum])), x, at: .item, lanes: 1)
      var draft = ProgramDraft()
      let kernel = b.kernel(name: "test", sources: [], taskCount: 1, taskCost: 1)
      draft.append(draft.launch(kernel, [draft.addOutput(.f32, [256])]))
      let kernels = OpenCLSource(draft.program).text.split(separator: "__kernel")
      return kernels[1].split(separator: "barrier(").count - 1
    }
    #expect(barriers(hasShuffles: true) == 2 && barriers(hasShuffles: false) == 6)
  }
}
