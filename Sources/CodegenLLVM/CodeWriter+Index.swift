import CLLVM
import Codegen
import IR

/// What the atoms of index expressions stand for at one place of the code.
struct IndexScope {
  var symbols: [Symbol: LLVMValueRef] = [:]
  /// i64 scalars and vectors.
  var variables: [Int: (value: LLVMValueRef, lanes: Int)] = [:]
  /// The variables that are known not to be negative.
  var nonNegative: Set<Int> = [-1]

  func isNonNegative(_ expression: IntegerExpression) -> Bool {
    expression.constant >= 0
      && expression.terms.allSatisfy { $0.coefficient >= 0 && $0.factors.allSatisfy(isNonNegative) }
  }

  private func isNonNegative(_ atom: IntegerExpression.Atom) -> Bool {
    switch atom {
    case .symbol: true
    case .variable(let variable): nonNegative.contains(variable)
    case .floorDivide(let a, let b): isNonNegative(a) && isNonNegative(b)
    case .modulo(_, let b): isNonNegative(b)
    case .minimum(let a, let b): isNonNegative(a) && isNonNegative(b)
    case .maximum(let a, let b): isNonNegative(a) || isNonNegative(b)
    case .element: false
    }
  }
}

extension CodeWriter {
  typealias IndexValue = (value: LLVMValueRef, lanes: Int)

  /// The integer that a scalar expression has, as i64.
  func index(_ expression: IntegerExpression, _ scope: IndexScope) -> LLVMValueRef {
    let value = index(expression, scope, lanes: 1)
    precondition(value.lanes == 1, "\(expression) differs between lanes, where one integer is needed")
    return value.value
  }

  /// The integer that the expression has, as i64; a vector of `lanes` where it differs between lanes.
  func index(_ expression: IntegerExpression, _ scope: IndexScope, lanes: Int) -> IndexValue {
    var scalar: LLVMValueRef?
    var vector: IndexValue?
    func accumulate(_ value: IndexValue) {
      if value.lanes > 1 {
        vector = vector.map { combine(LLVMAdd, $0, value) } ?? value
      } else {
        scalar = scalar.map { combine(LLVMAdd, ($0, 1), value).value } ?? value.value
      }
    }
    for term in expression.terms { accumulate(product(term, scope, lanes)) }
    if expression.constant != 0 || (scalar == nil && vector == nil) { accumulate((index(expression.constant), 1)) }
    guard let vector else { return (scalar ?? index(0), 1) }
    return scalar.map { combine(LLVMAdd, vector, ($0, 1)) } ?? vector
  }

  /// The product of a term's factors, the scalars among them first.
  private func product(_ term: IntegerExpression.Term, _ scope: IndexScope, _ lanes: Int) -> IndexValue {
    let factors = term.factors.map { atom($0, scope, lanes) }
    var scalar: LLVMValueRef? = term.coefficient == 1 ? nil : index(term.coefficient)
    for factor in factors where factor.lanes == 1 {
      scalar = scalar.map { combine(LLVMMul, (factor.value, 1), ($0, 1)).value } ?? factor.value
    }
    var result: IndexValue? = scalar.map { ($0, 1) }
    for factor in factors where factor.lanes > 1 {
      result = result.map { combine(LLVMMul, factor, $0) } ?? factor
    }
    return result ?? (index(1), 1)
  }

  /// Both operands with the same number of lanes.
  private func aligned(_ a: IndexValue, _ b: IndexValue) -> (LLVMValueRef, LLVMValueRef, lanes: Int) {
    let lanes = max(a.lanes, b.lanes)
    func widened(_ x: IndexValue) -> LLVMValueRef { x.lanes == lanes ? x.value : splat(x.value, lanes) }
    return (widened(a), widened(b), lanes)
  }

  private func combine(_ opcode: LLVMOpcode, _ a: IndexValue, _ b: IndexValue) -> IndexValue {
    let (x, y, lanes) = aligned(a, b)
    let result = binary(opcode, x, y)
    // Positions stay far from the limits of i64.
    if LLVMIsAInstruction(result) != nil { LLVMSetNSW(result, 1) }
    return (result, lanes)
  }

  private func atom(_ atom: IntegerExpression.Atom, _ scope: IndexScope, _ lanes: Int) -> IndexValue {
    switch atom {
    case .symbol(let symbol):
      guard let value = scope.symbols[symbol] else { preconditionFailure("symbol \(symbol) is not the program's") }
      return (value, 1)
    case .variable(-1): return (laneNumbers(lanes), lanes)
    case .variable(let variable):
      guard let value = scope.variables[variable] else {
        preconditionFailure("variable d\(variable) is used outside its loop")
      }
      return value
    case .floorDivide(let a, let b): return quotient(a, b, scope, lanes)
    case .modulo(let a, let b): return remainder(a, b, scope, lanes)
    case .minimum(let a, let b): return choose(LLVMIntSLT, a, b, scope, lanes)
    case .maximum(let a, let b): return choose(LLVMIntSGT, a, b, scope, lanes)
    case .element: preconditionFailure("index expressions of kernels have no elements of operands")
    }
  }

  private func choose(
    _ predicate: LLVMIntPredicate, _ a: IntegerExpression, _ b: IntegerExpression, _ scope: IndexScope, _ lanes: Int
  ) -> IndexValue {
    let (x, y, count) = aligned(index(a, scope, lanes: lanes), index(b, scope, lanes: lanes))
    return (select(compare(predicate, x, y), x, y), count)
  }

  /// The quotient rounded towards negative infinity.
  ///
  /// Divisors count as 1 where they are not positive, which only happens where no element is computed. Vectors divide as f64, exactly for positions below 2^52.
  private func quotient(
    _ a: IntegerExpression, _ b: IntegerExpression, _ scope: IndexScope, _ lanes: Int
  ) -> IndexValue {
    let x = index(a, scope, lanes: lanes)
    if let shift = b.powerOfTwoExponent { return combineExactly(LLVMAShr, x, (index(shift), 1)) }
    let y = divisor(b, scope, lanes)
    let (p, q, count) = aligned(x, y)
    if count > 1 {
      let type = floatType(64, lanes: count)
      let ratio = binary(LLVMFDiv, cast(LLVMSIToFP, p, to: type), cast(LLVMSIToFP, q, to: type))
      return (cast(LLVMFPToSI, intrinsic("llvm.floor", [type], [ratio]), to: integerType(64, lanes: count)), count)
    }
    if scope.isNonNegative(a) { return (binary(LLVMUDiv, p, q), 1) }
    let truncated = binary(LLVMSDiv, p, q)
    let rest = binary(LLVMSub, p, binary(LLVMMul, truncated, q))
    return (binary(LLVMAdd, truncated, cast(LLVMSExt, compare(LLVMIntSLT, rest, index(0)), to: indexType)), 1)
  }

  private func remainder(
    _ a: IntegerExpression, _ b: IntegerExpression, _ scope: IndexScope, _ lanes: Int
  ) -> IndexValue {
    let x = index(a, scope, lanes: lanes)
    if let shift = b.powerOfTwoExponent { return combineExactly(LLVMAnd, x, (index((1 << shift) - 1), 1)) }
    let y = divisor(b, scope, lanes)
    if x.lanes == 1 && y.lanes == 1 && scope.isNonNegative(a) { return (binary(LLVMURem, x.value, y.value), 1) }
    let q = quotient(a, b, scope, lanes)
    return combine(LLVMSub, x, combine(LLVMMul, q, y))
  }

  private func combineExactly(_ opcode: LLVMOpcode, _ a: IndexValue, _ b: IndexValue) -> IndexValue {
    let (x, y, lanes) = aligned(a, b)
    return (binary(opcode, x, y), lanes)
  }

  private func divisor(_ expression: IntegerExpression, _ scope: IndexScope, _ lanes: Int) -> IndexValue {
    if let fixed = expression.fixed { return (index(max(1, fixed)), 1) }
    let (x, one, count) = aligned(index(expression, scope, lanes: lanes), (index(1), 1))
    return (select(compare(LLVMIntSGT, x, one), x, one), count)
  }
}

extension IntegerExpression {
  fileprivate var powerOfTwoExponent: Int? {
    guard let fixed, fixed > 0, fixed & (fixed - 1) == 0 else { return nil }
    return fixed.trailingZeroBitCount
  }
}
