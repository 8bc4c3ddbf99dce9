// A slice that is replaced in its place, in a loop.
// kernels: kernel dynamic_update_slice.* in 2 tasks
func.func @main(%x: tensor<12x5xf32>, %u: tensor<2x5xf32>) -> tensor<12x5xf32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<12x5xf32>
  cond {
    %n = stablehlo.constant dense<4> : tensor<i32>
    %p = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %next = stablehlo.add %i, %one : tensor<i32>
    %w = stablehlo.dynamic_update_slice %v, %u, %i, %c : (tensor<12x5xf32>, tensor<2x5xf32>, tensor<i32>, tensor<i32>) -> tensor<12x5xf32>
    stablehlo.return %next, %w : tensor<i32>, tensor<12x5xf32>
  }
  return %0#1 : tensor<12x5xf32>
}
