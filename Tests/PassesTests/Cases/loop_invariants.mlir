// pass: canonicalize
func.func @constants_are_taken_apart_once(%x: tensor<2x3xf32>, %n: tensor<i32>) -> tensor<2x3xf32> {
  %w = stablehlo.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [10.0, 11.0, 12.0]]> : tensor<4x3xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:3 = stablehlo.while(%i = %zero, %v = %x, %u = %w) : tensor<i32>, tensor<2x3xf32>, tensor<4x3xf32>
  cond {
    %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %next = stablehlo.add %i, %one : tensor<i32>
    %s = stablehlo.slice %u [1:4, 0:3] : (tensor<4x3xf32>) -> tensor<3x3xf32>
    %p = stablehlo.dot_general %v, %s, contracting_dims = [1] x [1] : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    stablehlo.return %next, %p, %u : tensor<i32>, tensor<2x3xf32>, tensor<4x3xf32>
  }
  return %0#1 : tensor<2x3xf32>
}
func.func @products_of_captures_go_before(%x: tensor<2x3xf32>, %a: tensor<3x3xf32>, %b: tensor<3x3xf32>, %n: tensor<i32>) -> tensor<2x3xf32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<2x3xf32>
  cond {
    %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %next = stablehlo.add %i, %one : tensor<i32>
    %m = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
    %t = stablehlo.tanh %m : tensor<3x3xf32>
    %p = stablehlo.dot_general %v, %t, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
    stablehlo.return %next, %p : tensor<i32>, tensor<2x3xf32>
  }
  return %0#1 : tensor<2x3xf32>
}
func.func @stays(%x: tensor<2x3xf32>, %a: tensor<3xf32>, %b: tensor<4x3xf32>, %n: tensor<i32>) -> tensor<2x3xf32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<2x3xf32>
  cond {
    %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %next = stablehlo.add %i, %one : tensor<i32>
    %s = stablehlo.slice %b [1:3, 0:3] : (tensor<4x3xf32>) -> tensor<2x3xf32>
    %t = stablehlo.tanh %a : tensor<3xf32>
    %w = stablehlo.broadcast_in_dim %t, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
    %d = stablehlo.add %v, %s : tensor<2x3xf32>
    %p = stablehlo.multiply %d, %w : tensor<2x3xf32>
    stablehlo.return %next, %p : tensor<i32>, tensor<2x3xf32>
  }
  return %0#1 : tensor<2x3xf32>
}
// expect:
